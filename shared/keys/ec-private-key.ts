import { type Bytes, equal, wipe } from '../codec/bytes.ts';
import { decodeOid } from '../codec/oid.ts';
import { TlvReader } from '../codec/tlv.ts';
import { type Curve, EC_PUBLIC_KEY } from '../crypto/curve-type.ts';
import { readBitString, readEcAlgorithm, readEcParameters, readPoint } from '../crypto/ec-key-forms.ts';
import { Refusal, refuse } from '../errors.ts';

/** The private key of a curve of ours; nothing of the form in which it was written is left. */
export interface EcPrivateKey {
  readonly curve: Curve;
  /** `coordinateLength` octets, which the caller wipes. */
  readonly scalar: Bytes;
}

/**
 * The EC private key of a PEM: PKCS#8 (RFC 5958) or SEC1 (RFC 5915), unencrypted, an EC PARAMETERS block before it or not.
 * Its curve and its public point may have any form that ec-key-forms.ts takes; the public point may be absent and has to be
 * that of the private key otherwise. Undefined for a PEM of anything else, such as RSA or a public key.
 *
 * A form that is not taken is refused as `securityConfiguration` by its name, and what is no DER as `protocolFormat`; no
 * message tells anything of the secret.
 */
export function ecPrivateKeyFromPem(pem: string): EcPrivateKey | undefined {
  const [, , base64] =
    /-----BEGIN ((?:EC )?PRIVATE KEY)-----\s([A-Za-z0-9+/=\s]+)-----END \1-----/.exec(pem) ?? [];
  if (base64 === undefined) return undefined;
  const der = Buffer.from(base64, 'base64');
  try {
    return ecPrivateKeyFromDer(der);
  } finally {
    wipe(der);
  }
}

/** The same from the DER of either form. */
export function ecPrivateKeyFromDer(der: Bytes): EcPrivateKey | undefined {
  try {
    return readPrivateKey(der);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'protocolFormat') throw error;
    // neither message nor cause, which could show where in a secret something stands
    return refuse('protocolFormat', 'the private key is neither PKCS#8 nor SEC1 in DER');
  }
}

function readPrivateKey(der: Bytes): EcPrivateKey | undefined {
  const outer = new TlvReader(der);
  const key = outer.enter(0x30, 'private key');
  outer.end();
  key.expect(0x02, 'version');
  if (key.peek()?.tag === 0x30) return readPkcs8(key);
  // RSAPrivateKey of PKCS#1 goes on with its modulus
  return key.peek()?.tag === 0x04 ? readSec1(key) : undefined;
}

/** OneAsymmetricKey (RFC 5958 section 2) from its algorithm on. */
function readPkcs8(key: TlvReader): EcPrivateKey | undefined {
  const algorithm = key.expect(0x30, 'privateKeyAlgorithm');
  if (decodeOid(TlvReader.of(algorithm).expect(0x06, 'algorithm').value) !== EC_PUBLIC_KEY) return undefined;
  const curve = readEcAlgorithm(TlvReader.of(algorithm));
  const wrapped = new TlvReader(key.expect(0x04, 'privateKey').value);
  key.optional(0xa0);
  const point = key.peek()?.tag === 0x81 ? readBitString(key, 'publicKey', 0x81) : undefined;
  key.end();
  const inner = wrapped.enter(0x30, 'ECPrivateKey');
  wrapped.end();
  inner.expect(0x02, 'version');
  return readSec1(inner, curve, point);
}

/** ECPrivateKey (RFC 5915 section 3) from its private key on; curve and point may also have come with PKCS#8 around it. */
function readSec1(key: TlvReader, curveAround?: Curve, pointAround?: Bytes): EcPrivateKey {
  const secret = key.expect(0x04, 'privateKey').value;
  const parameters = key.optional(0xa0);
  const point = key.peek()?.tag === 0xa1 ? readPublicKey(key.enter(0xa1, 'publicKey')) : undefined;
  key.end();
  const curve = parameters === undefined ? curveAround : readOwnCurve(TlvReader.of(parameters));
  if (curve === undefined)
    refuse('securityConfiguration', 'the private key does not say on which curve it is');
  if (curveAround !== undefined && curve !== curveAround)
    refuse('securityConfiguration', 'the private key is on one curve by PKCS#8 and on another one by SEC1');
  return checkedKey(curve, secret, [pointAround, point]);
}

function readOwnCurve(parameters: TlvReader): Curve {
  const curve = readEcParameters(parameters.next('parameters'));
  parameters.end();
  return curve;
}

function readPublicKey(reader: TlvReader): Bytes {
  const point = readBitString(reader, 'publicKey');
  reader.end();
  return point;
}

/** Whatever public points are given are those of the secret; RFC 5915 gives it `coordinateLength` octets, other tools more or less. */
function checkedKey(curve: Curve, secret: Bytes, points: readonly (Bytes | undefined)[]): EcPrivateKey {
  const start = secret.findIndex((octet) => octet !== 0);
  const digits = start < 0 ? secret.subarray(secret.length) : secret.subarray(start);
  if (digits.length > curve.coordinateLength)
    refuse('securityConfiguration', `the private key is no number of the order of ${curve.name}`);
  const scalar = new Uint8Array(curve.coordinateLength);
  scalar.set(digits, scalar.length - digits.length);
  try {
    const own = publicPointOf(curve, scalar);
    for (const point of points)
      if (point !== undefined && !equal(readPoint(curve, point).point, own))
        refuse('securityConfiguration', 'the public point beside the private key is that of another key');
  } catch (error) {
    wipe(scalar);
    throw error;
  }
  return { curve, scalar };
}

function publicPointOf(curve: Curve, scalar: Bytes): Bytes {
  try {
    const key = curve.ephemeralFrom(scalar);
    key.wipe();
    return key.point;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return refuse('securityConfiguration', `the private key is no number of the order of ${curve.name}`);
  }
}
