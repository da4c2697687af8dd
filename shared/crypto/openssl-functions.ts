import { createECDH, getFips } from 'node:crypto';
import { createRequire } from 'node:module';
import { type Bytes, equal, wipe } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';
import { once } from './once.ts';

/**
 * Ephemeral keys by the functions of the OpenSSL that this Node has inside, called one by one through the optional package `koffi`.
 * Key pair, its point, the peer's point and the agreement take 85 µs on P-256 where node:crypto takes 130: it makes an object of
 * each, converts them between OpenSSL's two forms of a key and leaves them to the collector (docs/performance-record.md). What is
 * computed is the same, and the scalar is cleared at once instead of when the collector comes by.
 */
export interface OpenSslKey {
  /** Uncompressed. */
  readonly point: Bytes;
  /** The x coordinate of secret × peer, left-padded; OpenSSL checks once more that the peer's uncompressed point lies on the curve. */
  agree(peerPoint: Bytes): Bytes;
  /** Clears the scalar and gives the key's room back, which nothing else does; the second time it does nothing. */
  free(): void;
}

export type GenerateOpenSslKey = () => OpenSslKey;

/** 0 where there is none. */
export type Pointer = bigint;

/** What `koffi` is asked for. */
export interface Koffi {
  load(path: null): { func(prototype: string): (...args: readonly unknown[]) => unknown };
}

/** A function of this program by its prototype in C; throws where the program has none. */
type Named = <F>(prototype: string) => F;

/** EC_KEY and EC_POINT functions as OpenSSL 3 has them (openssl/ec.h), typed as we call them. */
export interface OpenSslFunctions extends PointFunctions {
  readonly generateKey: (key: Pointer) => number;
  readonly publicPointOf: (key: Pointer) => Pointer;
  readonly writePoint: (
    group: Pointer,
    point: Pointer,
    form: number,
    octets: Bytes,
    length: number,
    context: null,
  ) => number;
  readonly agree: (secret: Bytes, length: number, peer: Pointer, key: Pointer, kdf: null) => number;
}

export interface PointFunctions {
  readonly nidOf: (shortName: string) => number;
  readonly newKey: (nid: number) => Pointer;
  readonly freeKey: (key: Pointer) => void;
  readonly groupOf: (key: Pointer) => Pointer;
  readonly newPoint: (group: Pointer) => Pointer;
  readonly freePoint: (point: Pointer) => void;
  readonly readPoint: (
    group: Pointer,
    point: Pointer,
    octets: Bytes,
    length: number,
    context: null,
  ) => number;
  /** Of this thread's queue of errors. */
  readonly clearErrors: () => void;
}

/** POINT_CONVERSION_UNCOMPRESSED. */
const UNCOMPRESSED_FORM = 4;

/**
 * Null where `koffi` is not installed, where this program lacks one of the functions, and in FIPS mode: they would pass the provider
 * by whose certificate counts there. Loaded when first asked for.
 */
export const ofProcess = <F>(by: (load: () => Koffi) => F | null): (() => F | null) =>
  once(() => (getFips() === 1 ? null : by(requireKoffi)));

// require, not import: bundlers must not follow it to the native addon
const requireKoffi = () => createRequire(import.meta.url)('koffi') as Koffi;

/** Functions by what loads `koffi`; null where that fails, or one of them is missing. */
export function loadedBy<F>(load: () => Koffi, choose: (named: Named) => F): F | null {
  try {
    const program = load().load(null);
    return choose((prototype) => program.func(prototype) as never);
  } catch {
    return null;
  }
}

/** The functions of keys, as `loadedBy`. */
export const functionsBy = (load: () => Koffi): OpenSslFunctions | null => loadedBy(load, keyFunctions);

const keyFunctions = (named: Named): OpenSslFunctions => ({
  ...pointFunctions(named),
  generateKey: named('int EC_KEY_generate_key(void *key)'),
  publicPointOf: named('void *EC_KEY_get0_public_key(void *key)'),
  writePoint: named(
    'size_t EC_POINT_point2oct(void *group, void *point, int form, _Out_ uint8_t *octets, size_t length, void *context)',
  ),
  agree: named(
    'int ECDH_compute_key(_Out_ uint8_t *secret, size_t length, void *peer, void *key, void *kdf)',
  ),
});

/** What reading a public key's point takes, and whatever fails. */
export const pointFunctions = (named: Named): PointFunctions => ({
  nidOf: named('int OBJ_sn2nid(const char *name)'),
  newKey: named('void *EC_KEY_new_by_curve_name(int nid)'),
  freeKey: named('void EC_KEY_free(void *key)'),
  groupOf: named('void *EC_KEY_get0_group(void *key)'),
  newPoint: named('void *EC_POINT_new(void *group)'),
  freePoint: named('void EC_POINT_free(void *point)'),
  readPoint: named(
    'int EC_POINT_oct2point(void *group, void *point, const uint8_t *octets, size_t length, void *context)',
  ),
  clearErrors: named('void ERR_clear_error()'),
});

const functionsOfProcess = ofProcess(functionsBy);

/**
 * Key pairs of a curve by these functions, once they were held against node:crypto; undefined where there are none, or where both do
 * not come to the same secret.
 */
export function opensslKeysOf(
  { openSslName, coordinateLength }: { readonly openSslName: string; readonly coordinateLength: number },
  functions: OpenSslFunctions | null = functionsOfProcess(),
): GenerateOpenSslKey | undefined {
  const nid = functions?.nidOf(openSslName) ?? 0;
  if (functions === null || nid === 0) return undefined;
  const make = () => generate(functions, nid, coordinateLength);
  return holds(make, openSslName) ? make : undefined;
}

function generate(f: OpenSslFunctions, nid: number, coordinateLength: number): OpenSslKey {
  let key: Pointer | undefined = taken(f.newKey(nid));
  const free = () => {
    if (key !== undefined) f.freeKey(key);
    key = undefined;
  };
  try {
    if (f.generateKey(key) !== 1) throw failed('key pair');
    const group = f.groupOf(key);
    const point = Buffer.allocUnsafe(1 + 2 * coordinateLength);
    const written = f.writePoint(group, f.publicPointOf(key), UNCOMPRESSED_FORM, point, point.length, null);
    if (Number(written) !== point.length) throw failed('point');
    return {
      point,
      agree(peerPoint) {
        if (key === undefined) throw new RangeError('the ephemeral key was wiped');
        return agreeWith(f, key, group, peerPoint, coordinateLength);
      },
      free,
    };
  } catch (error) {
    free();
    f.clearErrors();
    throw error;
  }
}

function agreeWith(
  f: OpenSslFunctions,
  key: Pointer,
  group: Pointer,
  peerPoint: Bytes,
  length: number,
): Bytes {
  const peer = taken(f.newPoint(group));
  try {
    if (f.readPoint(group, peer, peerPoint, peerPoint.length, null) !== 1) throw failed('point');
    const secret = Buffer.alloc(length);
    if (f.agree(secret, length, peer, key, null) !== length) throw failed('agreement');
    return secret;
  } catch (error) {
    // TLS of this thread would take what is left in OpenSSL's queue for its own
    f.clearErrors();
    throw error;
  } finally {
    f.freePoint(peer);
  }
}

export function taken(pointer: Pointer | null): Pointer {
  if (pointer === null || pointer === 0n) throw failed('memory');
  return pointer;
}

const failed = (what: string) => new Fault('keyProvider', `OpenSSL gave no ${what}`);

/** Do both sides of an agreement come to the same secret, one of them by node:crypto? */
function holds(make: GenerateOpenSslKey, openSslName: string): boolean {
  const theirs = createECDH(openSslName);
  const theirPoint = theirs.generateKeys();
  let ours: OpenSslKey | undefined;
  try {
    ours = make();
    const secrets = [ours.agree(theirPoint), theirs.computeSecret(ours.point)] as const;
    const same = equal(...secrets);
    wipe(...secrets);
    return same;
  } catch {
    return false;
  } finally {
    ours?.free();
  }
}
