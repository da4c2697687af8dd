import { createDecipheriv } from 'node:crypto';
import { type Bytes, utf8, wipe } from '../codec/bytes.ts';
import { repeatedMember } from '../codec/json-names.ts';
import { Refusal, refuse } from '../errors.ts';
import { present } from '../present.ts';
import type { OaepHash } from './provider.ts';
import type { IntakeKey } from './registry.ts';

/** JWE names of RSA-OAEP (RFC 7518 section 4.3), by the hash of the key. */
export const JWE_ALG = {
  'sha-256': 'RSA-OAEP-256',
  'sha-1': 'RSA-OAEP',
} as const satisfies Record<OaepHash, string>;

export type JweAlg = (typeof JWE_ALG)[OaepHash];

/** The protected header of a block of rows: the members below and, where the sender wants to name the key, `kid`. */
export interface BlockHeader {
  /** Accepted only as the intake key has it: see `openBlockJwe`. */
  readonly alg: JweAlg;
  readonly enc: 'A256GCM';
  /** What the plaintext is. */
  readonly cty: 'csv' | 'jsonl';
  /** The order that the block is for, its place from 0, and how many blocks there are. */
  readonly order: string;
  readonly block: number;
  readonly blocks: number;
  readonly kid?: string;
}

const MEMBERS = ['alg', 'enc', 'cty', 'order', 'block', 'blocks', 'kid'];
const CEK_LENGTH = 32;
const IV_LENGTH = 12;
const TAG_LENGTH = 16;

/** The parts of a JWE in compact serialisation (RFC 7516 section 7.1), its header read and nothing decrypted yet. */
export interface BlockJwe {
  readonly header: BlockHeader;
  /** ASCII(BASE64URL(protected header)): what is authenticated beside the ciphertext. */
  readonly authenticated: Bytes;
  readonly encryptedKey: Bytes;
  readonly iv: Bytes;
  readonly ciphertext: Bytes;
  readonly tag: Bytes;
}

/** Refuses (`protocolFormat`) what is not exactly this kind of JWE: no other algorithm, no `zip`, no `crit`. */
export function decodeBlockJwe(compact: string): BlockJwe {
  const parts = compact.split('.');
  if (parts.length !== 5) refuse('protocolFormat', 'a block is a JWE in compact serialisation: five parts');
  const [protectedHeader, encryptedKey, iv, ciphertext, tag] = parts as [
    string,
    string,
    string,
    string,
    string,
  ];
  const jwe = {
    header: readHeader(base64url(protectedHeader)),
    authenticated: utf8(protectedHeader),
    encryptedKey: base64url(encryptedKey),
    iv: base64url(iv),
    ciphertext: base64url(ciphertext),
    tag: base64url(tag),
  };
  if (jwe.iv.length !== IV_LENGTH || jwe.tag.length !== TAG_LENGTH)
    refuse('protocolFormat', 'A256GCM has an initialisation vector of 12 and a tag of 16 octets');
  return jwe;
}

/**
 * The plaintext: the provider opens the content encryption key with RSA-OAEP, the rest is A256GCM (RFC 7518 section
 * 5.3). The key says which hash its OAEP has; a header that names another is refused before the key is used, so that
 * no sender chooses for us. Whatever fails is the same refusal, so that nobody learns which step it was. The caller wipes what it gets.
 */
export async function openBlockJwe(jwe: BlockJwe, key: IntakeKey): Promise<Bytes> {
  const alg = JWE_ALG[key.oaepHash];
  if (jwe.header.alg !== alg) refuse('protocolFormat', `the intake key of this server is for ${alg}`);
  let cek: Bytes | undefined;
  try {
    cek = await key.decrypt(jwe.encryptedKey);
    if (cek.length !== CEK_LENGTH) return unopened();
    const cipher = createDecipheriv('aes-256-gcm', cek, jwe.iv, { authTagLength: TAG_LENGTH });
    cipher.setAAD(jwe.authenticated);
    cipher.setAuthTag(jwe.tag);
    const plain = Buffer.allocUnsafeSlow(jwe.ciphertext.length);
    plain.set(cipher.update(jwe.ciphertext));
    try {
      cipher.final();
    } catch {
      wipe(plain);
      return unopened();
    }
    return plain;
  } catch (error) {
    if (error instanceof Refusal) return unopened();
    throw error;
  } finally {
    wipe(cek);
  }
}

function unopened(): never {
  return refuse('protocolFormat', 'the block does not open with the intake key of this server');
}

function readHeader(octets: Bytes): BlockHeader {
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(octets).toString('utf8'));
  } catch {
    return refuse('protocolFormat', 'the protected header of a block is not JSON');
  }
  // RFC 7515 section 4: the names in a header are unique
  if (repeatedMember(Buffer.from(octets).toString('utf8')) !== undefined)
    refuse('protocolFormat', 'the protected header of a block has a member twice');
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    return refuse('protocolFormat', 'the protected header of a block is not an object');
  const { alg, enc, cty, order, block, blocks, kid } = header as Record<string, unknown>;
  if (Object.keys(header).some((name) => !MEMBERS.includes(name)))
    refuse('protocolFormat', `the protected header of a block has ${MEMBERS.join(', ')} and nothing else`);
  if (!isJweAlg(alg) || enc !== 'A256GCM')
    refuse('protocolFormat', "a block is encrypted with the intake key's alg and A256GCM");
  if (cty !== 'csv' && cty !== 'jsonl') refuse('protocolFormat', 'cty of a block is csv or jsonl');
  if (typeof order !== 'string' || (kid !== undefined && typeof kid !== 'string'))
    refuse('protocolFormat', 'order and kid of a block are text');
  if (!isCount(block) || !isCount(blocks) || block >= blocks)
    refuse('protocolFormat', 'block and blocks count the blocks, block from 0');
  return { alg, enc, cty, order, block, blocks, ...present({ kid }) };
}

const isJweAlg = (value: unknown): value is JweAlg => Object.values<unknown>(JWE_ALG).includes(value);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Base64url without padding in its one canonical form (RFC 7515 section 2). */
function base64url(text: string): Bytes {
  const octets = Buffer.from(text, 'base64url');
  if (octets.toString('base64url') !== text) refuse('protocolFormat', 'a part of the block is not base64url');
  return octets;
}
