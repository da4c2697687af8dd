import type { Bytes } from '../codec/bytes.ts';
import { Refusal } from '../errors.ts';
import { type CurveFacts, isSecretScalar, isUncompressed } from './curve-type.ts';
import { DIGEST_LENGTH } from './direct-verification.ts';
import { decodeEcdsaSignature } from './ecdsa-signature.ts';
import { type Koffi, loadedBy, ofProcess, type Pointer, taken } from './openssl-functions.ts';

/**
 * ECDSA verification (FIPS 186-5 section 6.4.2; SEC 1 section 4.1.4) under a key that has signed very much, such as the one that an
 * EUM certifies a batch of eUICCs with: u1·G + u2·Q takes half of the time once u2·Q has a table of multiples of Q, as OpenSSL has
 * one for u1·G. It makes and reads that table by the same code, for a group whose generator is Q. That code sees the multiples
 * of a point by their factors alone, and on a curve of prime order with cofactor 1 each point but the one at infinity
 * generates the whole group: what holds of G there holds of Q.
 *
 * This is about public data only: keys, digests and signatures. Nothing is computed in constant time, and no secret may come here.
 */
export interface FixedBaseFunctions {
  readonly nidOf: (shortName: string) => number;
  readonly newGroup: (nid: number) => Pointer;
  readonly freeGroup: (group: Pointer) => void;
  readonly orderOf: (group: Pointer) => Pointer;
  readonly cofactorOf: (group: Pointer) => Pointer;
  readonly setGenerator: (group: Pointer, generator: Pointer, order: Pointer, cofactor: Pointer) => number;
  /** Makes the table of the generator. */
  readonly precompute: (group: Pointer, context: Pointer) => number;
  readonly hasPrecomputed: (group: Pointer) => number;
  readonly newPoint: (group: Pointer) => Pointer;
  readonly freePoint: (point: Pointer) => void;
  readonly readPoint: (
    group: Pointer,
    point: Pointer,
    octets: Bytes,
    length: number,
    context: Pointer,
  ) => number;
  /** factor · generator; the nulls are a second point and its factor. */
  readonly multiplyGenerator: (
    group: Pointer,
    to: Pointer,
    factor: Pointer,
    q: null,
    m: null,
    context: Pointer,
  ) => number;
  readonly addPoints: (group: Pointer, to: Pointer, a: Pointer, b: Pointer, context: Pointer) => number;
  /** Fails for the point at infinity. */
  readonly xOf: (group: Pointer, point: Pointer, x: Pointer, y: null, context: Pointer) => number;
  readonly newContext: () => Pointer;
  readonly freeContext: (context: Pointer) => void;
  readonly newNumber: () => Pointer;
  readonly freeNumber: (number: Pointer) => void;
  readonly readNumber: (octets: Bytes, length: number, to: Pointer) => Pointer | null;
  readonly invert: (to: Pointer, a: Pointer, modulus: Pointer, context: Pointer) => Pointer | null;
  readonly multiply: (to: Pointer, a: Pointer, b: Pointer, modulus: Pointer, context: Pointer) => number;
  readonly reduce: (to: Pointer, a: Pointer, modulus: Pointer, context: Pointer) => number;
  readonly compare: (a: Pointer, b: Pointer) => number;
  readonly clearErrors: () => void;
}

/** Null as `loadedBy`. */
export const fixedBaseFunctionsBy = (load: () => Koffi): FixedBaseFunctions | null =>
  loadedBy(load, (named) => ({
    nidOf: named('int OBJ_sn2nid(const char *name)'),
    newGroup: named('void *EC_GROUP_new_by_curve_name(int nid)'),
    freeGroup: named('void EC_GROUP_free(void *group)'),
    orderOf: named('void *EC_GROUP_get0_order(void *group)'),
    cofactorOf: named('void *EC_GROUP_get0_cofactor(void *group)'),
    setGenerator: named('int EC_GROUP_set_generator(void *group, void *point, void *order, void *cofactor)'),
    precompute: named('int EC_GROUP_precompute_mult(void *group, void *context)'),
    hasPrecomputed: named('int EC_GROUP_have_precompute_mult(void *group)'),
    newPoint: named('void *EC_POINT_new(void *group)'),
    freePoint: named('void EC_POINT_free(void *point)'),
    readPoint: named(
      'int EC_POINT_oct2point(void *group, void *point, const uint8_t *octets, size_t length, void *context)',
    ),
    multiplyGenerator: named(
      'int EC_POINT_mul(void *group, void *to, void *factor, void *q, void *m, void *context)',
    ),
    addPoints: named('int EC_POINT_add(void *group, void *to, void *a, void *b, void *context)'),
    xOf: named(
      'int EC_POINT_get_affine_coordinates(void *group, void *point, void *x, void *y, void *context)',
    ),
    newContext: named('void *BN_CTX_new()'),
    freeContext: named('void BN_CTX_free(void *context)'),
    newNumber: named('void *BN_new()'),
    freeNumber: named('void BN_free(void *number)'),
    readNumber: named('void *BN_bin2bn(const uint8_t *octets, int length, void *to)'),
    invert: named('void *BN_mod_inverse(void *to, void *a, void *modulus, void *context)'),
    multiply: named('int BN_mod_mul(void *to, void *a, void *b, void *modulus, void *context)'),
    reduce: named('int BN_nnmod(void *to, void *a, void *modulus, void *context)'),
    compare: named('int BN_cmp(void *a, void *b)'),
    clearErrors: named('void ERR_clear_error()'),
  }));

const functionsOfProcess = ofProcess(fixedBaseFunctionsBy);

type Facts = Pick<CurveFacts, 'coordinateLength' | 'order'> & { readonly openSslName: string };

/** OpenSSL makes such tables fast on this curve alone; on brainpoolP256r1 they gain nothing (docs/performance-record.md). */
const CURVE_WITH_TABLES = 'prime256v1';

/** Undefined where there are no such functions, or no such tables of the curve. One for each thread. */
export function fixedBaseOf(
  facts: Facts,
  functions: FixedBaseFunctions | null = functionsOfProcess(),
): FixedBase | undefined {
  if (functions === null || facts.openSslName !== CURVE_WITH_TABLES) return undefined;
  const nid = functions.nidOf(facts.openSslName);
  return nid === 0 ? undefined : new FixedBase(functions, nid, facts);
}

/** A curve with room for the numbers of one verification after the other. */
export class FixedBase {
  readonly #f: FixedBaseFunctions;
  readonly #nid: number;
  readonly #facts: Facts;
  readonly #group: Pointer;
  readonly #context: Pointer;
  readonly #n: Pointer;
  /** Of SEC 1 section 4.1.4: e, r, s, w = 1/s, u1, u2 and the x coordinate of R. */
  readonly #numbers: Readonly<Record<'e' | 'r' | 's' | 'w' | 'u1' | 'u2' | 'x', Pointer>>;
  readonly #sum: Pointer;
  readonly #summand: Pointer;

  constructor(f: FixedBaseFunctions, nid: number, facts: Facts) {
    this.#f = f;
    this.#nid = nid;
    this.#facts = facts;
    this.#group = taken(f.newGroup(nid));
    this.#context = taken(f.newContext());
    this.#n = f.orderOf(this.#group);
    const number = () => taken(f.newNumber());
    this.#numbers = {
      e: number(),
      r: number(),
      s: number(),
      w: number(),
      u1: number(),
      u2: number(),
      x: number(),
    };
    this.#sum = taken(f.newPoint(this.#group));
    this.#summand = taken(f.newPoint(this.#group));
  }

  /** The table of a key, some 150 kB and 14 ms; undefined where the point is none of the curve, or where OpenSSL makes no table. */
  table(point: Bytes): FixedBaseTable | undefined {
    const f = this.#f;
    if (!isUncompressed({ pointLength: 1 + 2 * this.#facts.coordinateLength }, point)) return undefined;
    const group = taken(f.newGroup(this.#nid));
    const isMade =
      f.readPoint(group, this.#summand, point, point.length, this.#context) === 1 &&
      f.setGenerator(group, this.#summand, this.#n, f.cofactorOf(this.#group)) === 1 &&
      f.precompute(group, this.#context) === 1 &&
      f.hasPrecomputed(group) === 1;
    if (isMade)
      return new FixedBaseTable(
        (digest, sigValue) => this.#holds(group, digest, sigValue),
        () => f.freeGroup(group),
      );
    f.clearErrors();
    f.freeGroup(group);
    return undefined;
  }

  free(): void {
    const f = this.#f;
    for (const point of [this.#sum, this.#summand]) f.freePoint(point);
    for (const number of Object.values(this.#numbers)) f.freeNumber(number);
    f.freeContext(this.#context);
    f.freeGroup(this.#group);
  }

  #holds(keyGroup: Pointer, digest: Bytes, sigValue: Bytes): boolean {
    const { coordinateLength: length } = this.#facts;
    if (digest.length !== DIGEST_LENGTH) return false;
    const raw = rawOrUndefined(this.#facts, sigValue);
    if (raw === undefined) return false;
    const [r, s] = [raw.subarray(0, length), raw.subarray(length)];
    // both from 1 to n less 1, as secret keys are
    if (!isSecretScalar(this.#facts, r) || !isSecretScalar(this.#facts, s)) return false;
    const holds = this.#isXOfSum(keyGroup, digest, r, s);
    // TLS of this thread would take what is left in OpenSSL's queue for its own
    if (!holds) this.#f.clearErrors();
    return holds;
  }

  /** Is the x coordinate of u1·G + u2·Q, modulo n, r? What a failed step leaves in a number is of another signature. */
  #isXOfSum(keyGroup: Pointer, digest: Bytes, rOctets: Bytes, sOctets: Bytes): boolean {
    const f = this.#f;
    const { e, r, s, w, u1, u2, x } = this.#numbers;
    const [group, n, context, sum, summand] = [
      this.#group,
      this.#n,
      this.#context,
      this.#sum,
      this.#summand,
    ] as const;
    return (
      // SHA-256 has as many bits as n: e is the whole digest
      isThere(f.readNumber(digest, digest.length, e)) &&
      isThere(f.readNumber(rOctets, rOctets.length, r)) &&
      isThere(f.readNumber(sOctets, sOctets.length, s)) &&
      isThere(f.invert(w, s, n, context)) &&
      f.multiply(u1, e, w, n, context) === 1 &&
      f.multiply(u2, r, w, n, context) === 1 &&
      f.multiplyGenerator(group, sum, u1, null, null, context) === 1 &&
      f.multiplyGenerator(keyGroup, summand, u2, null, null, context) === 1 &&
      f.addPoints(group, sum, sum, summand, context) === 1 &&
      // fails where the sum is the point at infinity
      f.xOf(group, sum, x, null, context) === 1 &&
      f.reduce(x, x, n, context) === 1 &&
      f.compare(x, r) === 0
    );
  }
}

/** Multiples of one key. */
export class FixedBaseTable {
  readonly #holds: (digest: Bytes, sigValue: Bytes) => boolean;
  #release: (() => void) | undefined;

  constructor(holds: (digest: Bytes, sigValue: Bytes) => boolean, release: () => void) {
    this.#holds = holds;
    this.#release = release;
  }

  /**
   * Does the ECDSA-Sig-Value hold over the SHA-256 under the key? Only true is an answer: whatever is false here node:crypto is to be
   * asked for, as openssl-curve.ts does.
   */
  holds(digest: Bytes, sigValue: Bytes): boolean {
    if (this.#release === undefined) throw new RangeError('the table was put aside');
    return this.#holds(digest, sigValue);
  }

  /** Gives its room back; the second time it does nothing. */
  free(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

const isThere = (pointer: Pointer | null) => pointer !== null && pointer !== 0n;

/** Of DER as strict as OpenSSL's, which takes a signature that it would write with the same octets. */
function rawOrUndefined(facts: Facts, sigValue: Bytes): Bytes | undefined {
  try {
    return decodeEcdsaSignature(facts, sigValue);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
