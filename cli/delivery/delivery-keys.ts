import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bytes, equal } from '../../shared/codec/bytes.ts';
import { repeatedMember } from '../../shared/codec/json-names.ts';
import { CURVES, P256 } from '../../shared/crypto/curves.ts';
import { canonicalSpki } from '../../shared/crypto/ec-key-forms.ts';
import { Refusal, refuse } from '../../shared/errors.ts';
import { readOctets } from '../input/files.ts';
import { UsageError } from '../output/failure.ts';

const KEYS_FILE = 'delivery-keys.json';

export interface DeliveryKeys {
  /** SubjectPublicKeyInfos in DER, in their canonical form; a signature by any of them holds. */
  readonly keys: readonly Bytes[];
  /** In words, what these keys are trusted by. */
  readonly from: string;
}

/** SHA-256 over a SubjectPublicKeyInfo, by which two people compare a key. */
export const keyFingerprint = (spki: Bytes) => createHash('sha256').update(spki).digest('hex');

/** Keys of a file that the user trusts: a SubjectPublicKeyInfo in PEM or DER, a JWK, a JWK Set (RFC 7517 section 5) or an answer of getServerKeys. */
export async function givenKeys(path: string, option: string): Promise<DeliveryKeys> {
  const octets = Buffer.from(await readOctets(path, option));
  try {
    return { keys: readKeys(octets), from: `${option} ${path}` };
  } catch (cause) {
    // a form of a key that is not taken says so itself
    if (cause instanceof Refusal && cause.code === 'securityConfiguration') throw cause;
    throw new UsageError(
      `${option}: there is no public key in the file`,
      'Give PEM, DER, a JWK or a JWK Set.',
      {
        cause,
      },
    );
  }
}

/** The keys that `smdpf pull` put into the folder; undefined where it has none. */
export async function folderKeys(folder: string): Promise<DeliveryKeys | undefined> {
  const file = join(folder, KEYS_FILE);
  const octets = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (octets === undefined) return undefined;
  const { keys } = await givenKeys(file, KEYS_FILE);
  const document: unknown = JSON.parse(octets.toString('utf8'));
  const from = memberOf(document, 'from');
  return { keys, from: typeof from === 'string' ? from : 'an unknown source' };
}

/** A JWK Set that also says where the keys are from. */
export async function storeKeys(folder: string, { keys, from }: DeliveryKeys): Promise<void> {
  const document = { keys: keys.map((spki) => keyOf(spki).export({ format: 'jwk' })), from };
  await writeFile(join(folder, KEYS_FILE), `${JSON.stringify(document, null, 1)}\n`);
}

/** Of JWKs as `esbpp.getServerKeys` answers them. */
export const spkisOf = (jwks: readonly unknown[]): readonly Bytes[] =>
  jwks.map((jwk) => {
    const crv = memberOf(jwk, 'crv');
    if (memberOf(jwk, 'kty') === 'EC' && crv !== 'P-256') refuseCurve(String(crv));
    return spkiOf(createPublicKey({ key: jwk as never, format: 'jwk' }));
  });

export const keyOf = (spki: Bytes): KeyObject =>
  createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });

const spkiOf = (key: KeyObject): Bytes => deliverySpki(key.export({ format: 'der', type: 'spki' }));

/**
 * The canonical form of a key of a curve, which has to be P-256: manifests and reports are signed on it. Read here and not
 * by OpenSSL, which does not know FRP256V1 and would call the file no key at all. Other keys, such as ML-DSA-65, stay.
 */
function deliverySpki(der: Bytes): Bytes {
  const spki = canonicalSpki(der);
  const curve = CURVES.find(({ spkiPrefix }) => equal(spki.subarray(0, spkiPrefix.length), spkiPrefix));
  if (curve !== undefined && curve !== P256) refuseCurve(curve.name);
  return spki;
}

const refuseCurve = (name: string): never =>
  refuse('securityConfiguration', `the delivery key is on ${name}, and delivery keys are on p256`);

const memberOf = (document: unknown, name: string): unknown =>
  typeof document === 'object' && document !== null ? Reflect.get(document, name) : undefined;

function readKeys(octets: Buffer): readonly Bytes[] {
  const text = octets.toString('latin1').trimStart();
  const [, pem] = /-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----/.exec(text) ?? [];
  if (pem !== undefined) return [deliverySpki(Buffer.from(pem, 'base64'))];
  if (text.startsWith('-----')) return [spkiOf(createPublicKey(text))];
  if (!text.startsWith('{')) return [deliverySpki(octets)];
  const twice = repeatedMember(text);
  if (twice !== undefined) throw new Error(`${twice.name} stands twice in one object (line ${twice.line})`);
  const document: unknown = JSON.parse(text);
  const set = ['keys', 'deliveryKeys', 'longTermKeys'].map((name) => memberOf(document, name));
  const keys = spkisOf(set.some(Array.isArray) ? set.filter(Array.isArray).flat() : [document]);
  if (keys.length === 0) throw new Error('an empty JWK Set');
  return keys;
}
