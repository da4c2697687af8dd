import { createHash } from 'node:crypto';
import { type Bytes, equal, equalFrom, toHex } from '../codec/bytes.ts';
import { decodeOid } from '../codec/oid.ts';
import { type Tlv, TlvReader } from '../codec/tlv.ts';
import { Refusal, refuse } from '../errors.ts';
import type { StatusName } from '../status-codes.ts';
import { type Curve, EC_PUBLIC_KEY, isUncompressed, type PublicKey } from './curve-type.ts';
import { CURVES, toSpki } from './curves.ts';

/**
 * The forms in which the public key of an elliptic curve is written. One is canonical here: SubjectPublicKeyInfo
 * (RFC 5480) with a named curve and an uncompressed point, so that two keys are equal where their octets are. Keys of key
 * files, tokens and other tools come in more forms, and are read by their value; certificates and requests may write
 * the canonical one alone.
 *
 * | form | from other tools | in a certificate |
 * |---|---|---|
 * | uncompressed point, 04 ‖ X ‖ Y | taken | taken |
 * | compressed point, 02 or 03 ‖ X | taken | refused |
 * | hybrid point, 06 or 07 ‖ X ‖ Y | refused: RFC 5480 section 2.2 forbids it | refused |
 * | named curve | taken | taken |
 * | explicit parameters | taken where every one of them is that of a curve of ours | refused: RFC 5480 section 2.1.1 |
 * | parameters of an issuer (implicitCurve) | refused | refused |
 *
 * Of explicit parameters the generator counts as the rest does: who may choose it can make any public key his own
 * (CVE-2020-0601). A refusal names the form.
 */

/** The key of a SubjectPublicKeyInfo in DER in any form that is taken; refuses the others as `securityConfiguration`. */
export function readSpki(spki: Bytes): PublicKey {
  const { curve, octets } = readParts(spki, 'named or explicit', 'securityConfiguration');
  return readPoint(curve, octets);
}

function readParts(spki: Bytes, curves: CurveForms, refusedAs: StatusName): { curve: Curve; octets: Bytes } {
  const outer = new TlvReader(spki);
  const info = outer.enter(0x30, 'SubjectPublicKeyInfo');
  outer.end();
  const curve = readEcAlgorithm(info.enter(0x30, 'algorithm'), curves);
  const [unused, ...octets] = info.expect(0x03, 'subjectPublicKey').value;
  info.end();
  if (unused !== 0) refuse(refusedAs, 'the public key is no whole number of octets (RFC 5480 section 2.2)');
  return { curve, octets: Buffer.from(octets) };
}

/** The canonical form of a SubjectPublicKeyInfo in DER; of a key that is on no curve, such as RSA, its own octets. */
export function canonicalSpki(spki: Bytes): Bytes {
  return isEcSpki(spki) ? toSpki(readSpki(spki)) : spki;
}

function isEcSpki(spki: Bytes): boolean {
  const algorithm = new TlvReader(spki).enter(0x30, 'SubjectPublicKeyInfo').enter(0x30, 'algorithm');
  return decodeOid(algorithm.expect(0x06, 'algorithm').value) === EC_PUBLIC_KEY;
}

/** How a curve may be written; explicit parameters never in certificates. */
type CurveForms = 'named' | 'named or explicit';

/** The curve of an AlgorithmIdentifier (RFC 5480 section 2.1), whose children `algorithm` reads to the end. */
export function readEcAlgorithm(algorithm: TlvReader, curves: CurveForms = 'named or explicit'): Curve {
  const oid = decodeOid(algorithm.expect(0x06, 'algorithm').value);
  if (oid !== EC_PUBLIC_KEY)
    refuse(
      'securityConfiguration',
      `the key algorithm is ${oid}, not id-ecPublicKey (RFC 5480 section 2.1.1)`,
    );
  const parameters = algorithm.next('parameters');
  algorithm.end();
  if (parameters.tag === EXPLICIT && curves === 'named')
    refuse(
      'securityConfiguration',
      'the curve of the public key is written as explicit parameters, not by its name (RFC 5480 section 2.1.1)',
    );
  return readEcParameters(parameters);
}

/** The point of a curve, uncompressed or compressed (SEC 1 section 2.3.3), checked to lie on it. */
export function readPoint(curve: Curve, octets: Bytes, what = 'public key'): PublicKey {
  const form = pointForm(curve, octets);
  if (form !== UNCOMPRESSED && form !== COMPRESSED)
    refuse('securityConfiguration', `the ${what} is ${form}, neither an uncompressed nor a compressed one`);
  const point = form === COMPRESSED ? curve.decompress(octets) : octets;
  if (point === undefined)
    refuse('securityConfiguration', `the ${what} is a compressed point that is not on ${curve.name}`);
  try {
    return curve.publicKey(point);
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    return refuse('securityConfiguration', `the ${what} is a point that is not on ${curve.name}`, { cause });
  }
}

const UNCOMPRESSED = 'an uncompressed point';
const COMPRESSED = 'a compressed point';

/** What a point of this curve is written as, in words. */
function pointForm({ coordinateLength: length, pointLength, name }: Curve, octets: Bytes): string {
  const [first] = octets;
  if (octets.length === pointLength && first === 0x04) return UNCOMPRESSED;
  if (octets.length === 1 + length && (first === 0x02 || first === 0x03)) return COMPRESSED;
  if (octets.length === pointLength && (first === 0x06 || first === 0x07))
    return 'a hybrid point (first octet 06 or 07, which RFC 5480 section 2.2 forbids)';
  if (octets.length === 1 && first === 0x00) return 'the point at infinity';
  return `no point of ${name}: ${octets.length} octets`;
}

/** ECParameters (RFC 5480 section 2.1.1; SEC 1 annex C.2): the curve of ours that they name or spell out. */
export function readEcParameters(parameters: Tlv): Curve {
  switch (parameters.tag) {
    case NAMED_CURVE:
      return namedCurve(parameters);
    case EXPLICIT:
      return explicitCurve(parameters);
    case IMPLICIT:
      return refuse(
        'securityConfiguration',
        'the key leaves its curve to its issuer (implicitCurve), which RFC 5480 section 2.1.1 forbids',
      );
    default:
      return refuse('securityConfiguration', 'the key has no curve parameters of RFC 5480 section 2.1.1');
  }
}

const NAMED_CURVE = 0x06;
const EXPLICIT = 0x30;
const IMPLICIT = 0x05;

function namedCurve({ value }: Tlv): Curve {
  const oid = decodeOid(value);
  return (
    CURVES.find((curve) => curve.oid === oid) ??
    refuse(
      'securityConfiguration',
      `the key is on the curve ${oid}, not on one of ours: ${CURVES.map(({ name }) => name).join(', ')}`,
    )
  );
}

const PRIME_FIELD = '1.2.840.10045.1.1';

/** SpecifiedECDomain: every parameter that is there is that of the curve; only cofactor and seed may be left out. */
function explicitCurve(parameters: Tlv): Curve {
  const reader = TlvReader.of(parameters);
  reader.integer(0x02, 'version');
  const field = reader.enter(0x30, 'fieldID');
  if (decodeOid(field.expect(0x06, 'fieldType').value) !== PRIME_FIELD)
    refuse('securityConfiguration', 'the explicit curve parameters are over no prime field');
  const p = readNumber(field, 'prime');
  field.end();
  const coefficients = reader.enter(0x30, 'curve');
  const a = numberOf(coefficients.expect(0x04, 'a').value);
  const b = numberOf(coefficients.expect(0x04, 'b').value);
  const seed = coefficients.peek() === undefined ? undefined : readBitString(coefficients, 'seed');
  coefficients.end();
  const base = reader.expect(0x04, 'base').value;
  const order = readNumber(reader, 'order');
  const cofactor = reader.peek()?.tag === 0x02 ? readNumber(reader, 'cofactor') : undefined;
  if (reader.peek()?.tag === 0x30) reader.next('hash');
  reader.end();

  const curve = CURVES.find(({ domain }) => domain.p === p && domain.a === a && domain.b === b);
  if (curve === undefined)
    refuse('securityConfiguration', 'the explicit curve parameters are those of no curve of ours');
  const { gx, gy, cofactor: ownCofactor, seed: ownSeed } = curve.domain;
  const differs = (what: string) =>
    refuse(
      'securityConfiguration',
      `the explicit curve parameters are those of ${curve.name} but for ${what} (CVE-2020-0601)`,
    );
  const { point } = readPoint(curve, base, 'generator of the explicit curve parameters');
  const generator = `${number(gx, curve)}${number(gy, curve)}`;
  if (toHex(point.subarray(1)) !== generator) differs('their generator');
  if (order !== numberOf(curve.order)) differs('their order');
  if (cofactor !== undefined && cofactor !== ownCofactor) differs('their cofactor');
  if (seed !== undefined && ownSeed !== undefined && !equal(seed, ownSeed)) differs('their seed');
  return curve;
}

const number = (value: bigint, curve: Curve) => value.toString(16).padStart(2 * curve.coordinateLength, '0');
const numberOf = (octets: Bytes) => BigInt(`0x${toHex(octets) || '0'}`);

function readNumber(reader: TlvReader, name: string): bigint {
  const element = reader.expect(0x02, name);
  const [first] = element.value;
  if (first === undefined || first >= 0x80) reader.refuse(element, `${name} is not a positive number`);
  return numberOf(element.value);
}

/** The octets of a BIT STRING without unused bits. */
export function readBitString(reader: TlvReader, name: string, tag = 0x03): Bytes {
  const element = reader.expect(tag, name);
  if (element.value[0] !== 0) reader.refuse(element, `${name} is not a whole number of octets`);
  return element.value.subarray(1);
}

/** SubjectPublicKeyInfo in its canonical form, taken apart. */
export interface SubjectPublicKey {
  readonly curve: Curve;
  /** `pointLength` octets, not yet checked to lie on the curve: `curve.publicKey(point)` does that. */
  readonly point: Bytes;
}

/**
 * Takes apart the SubjectPublicKeyInfo of a certificate, which has to be canonical: everything before the point is one
 * constant per curve. Refuses another form of the point as `refusedAs`, other keys and curves and other forms of the
 * curve as `securityConfiguration`, each by its rule.
 */
export function splitSpki(spki: Bytes, refusedAs: StatusName): SubjectPublicKey {
  for (const curve of CURVES) {
    const { spkiPrefix } = curve;
    if (!equalFrom(spki, 0, spkiPrefix)) continue;
    const point = spki.subarray(spkiPrefix.length);
    if (isUncompressed(curve, point)) return { curve, point };
  }
  return refuseForm(spki, refusedAs);
}

/** The same, with its point checked to lie on the curve; refuses all as `securityConfiguration`. */
export function fromSpki(spki: Bytes): PublicKey {
  const { curve, point } = splitSpki(spki, 'securityConfiguration');
  return curve.publicKey(point);
}

/** By which rule a SubjectPublicKeyInfo is not canonical. */
function refuseForm(spki: Bytes, refusedAs: StatusName): never {
  const { curve, octets } = readParts(spki, 'named', refusedAs);
  return refuse(
    refusedAs,
    `the public key is ${pointForm(curve, octets)}, not an uncompressed one of ${curve.pointLength} octets (RFC 5480 section 2.2)`,
  );
}

/**
 * SHA-1 over the point of a canonical SubjectPublicKeyInfo, hexadecimal (RFC 5280 section 4.2.1.2 method 1): what GSMA
 * certificates have as SubjectKeyIdentifier, and messages call a key by.
 */
export function keyIdentifier(spki: Bytes): string {
  return createHash('sha1').update(splitSpki(spki, 'securityConfiguration').point).digest('hex');
}
