import { type Bytes, equal, fromHex } from '../codec/bytes.ts';
import { refuse } from '../errors.ts';
import type { Curve, PublicKey } from './curve-type.ts';
import { FRP256V1 } from './frp256v1.ts';
import { openSslCurve } from './openssl-curve.ts';

export {
  type Curve,
  type CurveName,
  type EphemeralKey,
  type PublicKey,
  toSpki,
  type Verifier,
  xCoordinate,
} from './curve-type.ts';
export { FRP256V1 } from './frp256v1.ts';

/** P-256 (FIPS 186-5). */
export const P256 = openSslCurve({
  name: 'p256',
  oid: '1.2.840.10045.3.1.7',
  openSslName: 'prime256v1',
  coordinateLength: 32,
  order: fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
});

/** RFC 5639 section 3.4. */
export const BRAINPOOL_P256R1 = openSslCurve({
  name: 'brainpoolP256r1',
  oid: '1.3.36.3.3.2.8.1.1.7',
  openSslName: 'brainpoolP256r1',
  coordinateLength: 32,
  order: fromHex('a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7'),
});

export const CURVES: readonly Curve[] = [P256, BRAINPOOL_P256R1, FRP256V1];

/** For checks of form where the curve is not known yet. */
export const LONGEST_CURVE = CURVES.reduce((a, b) => (b.coordinateLength > a.coordinateLength ? b : a));

const signatureLengths = CURVES.map(({ signatureLength }) => signatureLength);
/** Octets of a raw signature whose curve is not known yet: whether it is as long as its curve wants, its check tells. */
export const SIGNATURE_LENGTHS = { min: Math.min(...signatureLengths), max: Math.max(...signatureLengths) };

/** The key of a SubjectPublicKeyInfo in DER; refuses curves that are not ours, and points off their curve. */
export function fromSpki(spki: Bytes): PublicKey {
  for (const curve of CURVES) {
    const { spkiPrefix, pointLength } = curve;
    if (
      spki.length === spkiPrefix.length + pointLength &&
      equal(spki.subarray(0, spkiPrefix.length), spkiPrefix)
    )
      return curve.publicKey(spki.subarray(spkiPrefix.length));
  }
  return refuse('securityConfiguration', 'the public key is not on a supported named curve');
}
