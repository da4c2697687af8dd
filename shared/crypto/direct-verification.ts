import { generateKeyPairSync, hash, randomBytes, sign, verify } from 'node:crypto';
import type { Bytes } from '../codec/bytes.ts';
import { type CurveFacts, isUncompressed } from './curve-type.ts';
import {
  type Koffi,
  loadedBy,
  ofProcess,
  type Pointer,
  type PointFunctions,
  pointFunctions,
  taken,
} from './openssl-functions.ts';

/**
 * ECDSA by the function of OpenSSL that node:crypto's own verification ends in (ECDSA_verify), for a key that is asked once: it is
 * given as the octets of its point, so that no key object is imported and left to the collector (docs/performance-record.md). Keys,
 * digests and signatures are public; nothing here is kept from whoever measures its time.
 */
export interface DirectVerifier {
  /**
   * Does the ECDSA-Sig-Value hold over the SHA-256 under the key with this uncompressed point? DER as strict as node:crypto's, since
   * it is the same code. Only true is an answer: whatever is false here node:crypto is to be asked for, as openssl-curve.ts does.
   */
  holds(point: Bytes, digest: Bytes, sigValue: Bytes): boolean;
}

export interface VerificationFunctions extends PointFunctions {
  readonly setPublicPoint: (key: Pointer, point: Pointer) => number;
  /** 1 where it holds, 0 where it does not, -1 for an error, for one a signature that is not DER. */
  readonly verify: (
    type: 0,
    digest: Bytes,
    digestLength: number,
    sigValue: Bytes,
    sigValueLength: number,
    key: Pointer,
  ) => number;
}

/** Null as `loadedBy`. */
export const verificationFunctionsBy = (load: () => Koffi): VerificationFunctions | null =>
  loadedBy(load, (named) => ({
    ...pointFunctions(named),
    setPublicPoint: named('int EC_KEY_set_public_key(void *key, void *point)'),
    verify: named(
      'int ECDSA_verify(int type, const uint8_t *digest, int digestLength, const uint8_t *sigValue, int sigValueLength, void *key)',
    ),
  }));

const functionsOfProcess = ofProcess(verificationFunctionsBy);

/** Octets of SHA-256. */
export const DIGEST_LENGTH = 32;

type Facts = Pick<CurveFacts, 'coordinateLength'> & { readonly openSslName: string };

/** Undefined where there are no such functions, or where they do not come to the verdicts of node:crypto. One for each thread. */
export function directVerifierOf(
  facts: Facts,
  functions: VerificationFunctions | null = functionsOfProcess(),
): DirectVerifier | undefined {
  const nid = functions?.nidOf(facts.openSslName) ?? 0;
  if (functions === null || nid === 0) return undefined;
  const verifier = new ReusedKey(functions, nid, 1 + 2 * facts.coordinateLength);
  if (judgesAsNode(verifier, facts)) return verifier;
  verifier.free();
  return undefined;
}

/** One key of OpenSSL, which is given another point for each verification. */
class ReusedKey implements DirectVerifier {
  readonly #f: VerificationFunctions;
  readonly #key: Pointer;
  readonly #group: Pointer;
  readonly #point: Pointer;
  readonly #pointLength: number;

  constructor(f: VerificationFunctions, nid: number, pointLength: number) {
    this.#f = f;
    this.#key = taken(f.newKey(nid));
    this.#group = f.groupOf(this.#key);
    this.#point = taken(f.newPoint(this.#group));
    this.#pointLength = pointLength;
  }

  holds(point: Bytes, digest: Bytes, sigValue: Bytes): boolean {
    if (digest.length !== DIGEST_LENGTH) return false;
    if (!isUncompressed({ pointLength: this.#pointLength }, point)) return false;
    const f = this.#f;
    // what was not taken would leave the key of the call before
    const holds =
      f.readPoint(this.#group, this.#point, point, point.length, null) === 1 &&
      f.setPublicPoint(this.#key, this.#point) === 1 &&
      f.verify(0, digest, digest.length, sigValue, sigValue.length, this.#key) === 1;
    // TLS of this thread would take what is left in OpenSSL's queue for its own
    if (!holds) f.clearErrors();
    return holds;
  }

  free(): void {
    this.#f.freePoint(this.#point);
    this.#f.freeKey(this.#key);
  }
}

/** A good signature, the same over another digest and under another key, and one that is no DER. */
function judgesAsNode(verifier: DirectVerifier, { openSslName, coordinateLength }: Facts): boolean {
  const pair = () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: openSslName });
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    return { publicKey, privateKey, point: spki.subarray(-(1 + 2 * coordinateLength)) };
  };
  const [own, other] = [pair(), pair()];
  const [message, another] = [randomBytes(DIGEST_LENGTH), randomBytes(DIGEST_LENGTH)];
  const sigValue = sign('sha256', message, own.privateKey);
  return [
    { key: own, over: message, sigValue },
    { key: own, over: another, sigValue },
    { key: other, over: message, sigValue },
    { key: own, over: message, sigValue: sigValue.subarray(1) },
  ].every(
    ({ key, over, sigValue }) =>
      verifier.holds(key.point, hash('sha256', over, 'buffer'), sigValue) ===
      verify('sha256', over, key.publicKey, sigValue),
  );
}
