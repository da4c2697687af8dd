import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Bytes, concat, equal, toHex, utf8, wipe } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';
import { oneAtATime } from './one-at-a-time.ts';
import type { KeyAlgorithm, KeyRole } from './provider.ts';

/**
 * A softkey file: one key, encrypted at rest.
 *
 *     "SMDPFKEY"  8 octets
 *     version     1 octet, 01
 *     log2(N), r, p of scrypt (RFC 7914)  1 octet each
 *     role        1 octet: index in ROLES, from 1
 *     algorithm   1 octet: index in ALGORITHMS, from 1
 *     salt        16 octets
 *     IV          12 octets
 *     ciphertext  the secret: PKCS#8 DER, or the 32 octets of an AES, FRP256V1 or (its seed) ML-DSA key
 *     tag         16 octets
 *
 * AES-256-GCM under scrypt(passphrase, salt); everything before the ciphertext is authenticated with it.
 */
export interface SoftkeyFile {
  readonly role: KeyRole;
  readonly algorithm: KeyAlgorithm;
  readonly secret: Bytes;
}

const MAGIC = utf8('SMDPFKEY');
const VERSION = 1;
const LOG2_N = 15;
/** Refuses files that would be weak, or would make the reader take more than 1 GiB for scrypt. */
const LOG2_N_RANGE = [15, 20] as const;
const R = 8;
const P = 1;
const HEADER_LENGTH = 42;
const TAG_LENGTH = 16;
const MAX_LENGTH = 16_384;
const PASSPHRASE_MIN_LENGTH = 12;

/** Positions are part of the file format: append only. */
const ROLES: readonly KeyRole[] = ['binding', 'delivery', 'wrapping', 'intake', 'longTerm'];
const ALGORITHMS: readonly KeyAlgorithm[] = [
  'ecdsa-p256',
  'ecdsa-brainpoolP256r1',
  'ecdsa-frp256v1',
  'aes-256',
  'rsa-oaep',
  'ml-dsa-65',
];

export async function sealSoftkey(file: SoftkeyFile, passphrase: Bytes): Promise<Bytes> {
  if (passphrase.length < PASSPHRASE_MIN_LENGTH) {
    throw new Fault('configuration', `a softkey passphrase has at least ${PASSPHRASE_MIN_LENGTH} octets`);
  }
  const role = ROLES.indexOf(file.role) + 1;
  const algorithm = ALGORITHMS.indexOf(file.algorithm) + 1;
  if (algorithm === 0) throw new Fault('configuration', `a softkey cannot be ${file.algorithm}`);
  const salt = randomBytes(16);
  const header = concat(MAGIC, Buffer.of(VERSION, LOG2_N, R, P, role, algorithm), salt, randomBytes(12));
  const key = await deriveKey(passphrase, salt, LOG2_N);
  const cipher = createCipheriv('aes-256-gcm', key, header.subarray(30)).setAAD(header);
  const ciphertext = concat(cipher.update(file.secret), cipher.final());
  wipe(key);
  return concat(header, ciphertext, cipher.getAuthTag());
}

/** What a softkey file tells without its passphrase; not yet authenticated. */
export interface SoftkeyHeader {
  readonly version: number;
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
  /** Undefined for a number without a meaning. */
  readonly role: KeyRole | undefined;
  readonly algorithm: KeyAlgorithm | undefined;
  readonly salt: Bytes;
  readonly iv: Bytes;
}

export function isSoftkey(content: Bytes): boolean {
  return equal(content.subarray(0, MAGIC.length), MAGIC);
}

/** A Fault where the file is none or is cut off; values are left to `openSoftkey`. */
export function decodeSoftkeyHeader(content: Bytes): SoftkeyHeader {
  if (content.length < HEADER_LENGTH + TAG_LENGTH || !isSoftkey(content)) {
    throw new Fault('keyProvider', 'not a softkey file');
  }
  const [version, log2N, r, p, role, algorithm] = content.subarray(8, 14);
  return {
    version: version!,
    log2N: log2N!,
    r: r!,
    p: p!,
    role: ROLES[role! - 1],
    algorithm: ALGORITHMS[algorithm! - 1],
    salt: content.subarray(14, 30),
    iv: content.subarray(30, HEADER_LENGTH),
  };
}

/** A changed octet anywhere, or another passphrase, is a Fault. The caller wipes the secret. */
export async function openSoftkey(content: Bytes, passphrase: Bytes): Promise<SoftkeyFile> {
  const { version, log2N, r, p, role, algorithm } = decodeSoftkeyHeader(content);
  if (version !== VERSION) throw new Fault('keyProvider', `softkey file version ${version} is unknown`);
  const inRange = log2N >= LOG2_N_RANGE[0] && log2N <= LOG2_N_RANGE[1];
  if (!inRange || r !== R || p !== P || role === undefined || algorithm === undefined) {
    throw new Fault('keyProvider', 'the softkey file has a header this version does not accept');
  }
  const key = await deriveKey(passphrase, content.subarray(14, 30), log2N);
  const tagAt = content.length - TAG_LENGTH;
  const decipher = createDecipheriv('aes-256-gcm', key, content.subarray(30, HEADER_LENGTH))
    .setAAD(content.subarray(0, HEADER_LENGTH))
    .setAuthTag(content.subarray(tagAt));
  wipe(key);
  const secret = decipher.update(content.subarray(HEADER_LENGTH, tagAt));
  try {
    decipher.final();
  } catch {
    wipe(secret);
    throw new Fault(
      'keyProvider',
      'the softkey file does not open: wrong passphrase, or the file was altered',
    );
  }
  return { role, algorithm, secret };
}

function deriveKey(passphrase: Bytes, salt: Bytes, log2N: number): Promise<Buffer> {
  const N = 2 ** log2N;
  return oneAtATime(
    () =>
      new Promise((resolve, reject) => {
        // scrypt takes 128·N·r octets and a little more; Node refuses above maxmem
        scrypt(passphrase, salt, 32, { N, r: R, p: P, maxmem: 128 * N * R + 1024 * 1024 }, (error, key) =>
          error ? reject(error) : resolve(key),
        );
      }),
  );
}

export async function readSoftkeyFile(path: string): Promise<Bytes> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (cause) {
    throw new Fault('keyProvider', `the softkey file ${path} cannot be read`, { cause });
  }
  if (content.length > MAX_LENGTH) throw new Fault('keyProvider', `${path} is too long for a softkey file`);
  return content;
}

/** Creates the file with mode 0600, whole or not at all; never replaces one. */
export async function createSoftkeyFile(path: string, content: Bytes): Promise<void> {
  const temporary = `${path}.${toHex(randomBytes(6))}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      // link, unlike rename, fails where the name is taken
      await link(temporary, path);
    } finally {
      await unlink(temporary);
    }
    const directory = await open(dirname(path));
    await directory.sync().finally(() => directory.close());
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new Fault(
      exists ? 'configuration' : 'keyProvider',
      exists
        ? `the softkey file ${path} exists and is not replaced`
        : `the softkey file ${path} cannot be created`,
      { cause },
    );
  }
}
