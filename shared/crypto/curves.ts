import { fromHex } from '../codec/bytes.ts';
import type { Curve } from './curve-type.ts';
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

/** P-256 (FIPS 186-5; SP 800-186 section 3.2.1.3). */
export const P256 = openSslCurve({
  name: 'p256',
  oid: '1.2.840.10045.3.1.7',
  openSslName: 'prime256v1',
  coordinateLength: 32,
  order: fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  domain: {
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    a: 0xffffffff00000001000000000000000000000000fffffffffffffffffffffffcn,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    gx: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    gy: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
    cofactor: 1n,
    seed: fromHex('c49d360886e704936a6678e1139d26b7819f7e90'),
  },
});

/** RFC 5639 section 3.4. */
export const BRAINPOOL_P256R1 = openSslCurve({
  name: 'brainpoolP256r1',
  oid: '1.3.36.3.3.2.8.1.1.7',
  openSslName: 'brainpoolP256r1',
  coordinateLength: 32,
  order: fromHex('a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7'),
  domain: {
    p: 0xa9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377n,
    a: 0x7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9n,
    b: 0x26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6n,
    gx: 0x8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262n,
    gy: 0x547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997n,
    cofactor: 1n,
  },
});

export const CURVES: readonly Curve[] = [P256, BRAINPOOL_P256R1, FRP256V1];

/** For checks of form where the curve is not known yet. */
export const LONGEST_CURVE = CURVES.reduce((a, b) => (b.coordinateLength > a.coordinateLength ? b : a));

const signatureLengths = CURVES.map(({ signatureLength }) => signatureLength);
/** Octets of a raw signature whose curve is not known yet: whether it is as long as its curve wants, its check tells. */
export const SIGNATURE_LENGTHS = { min: Math.min(...signatureLengths), max: Math.max(...signatureLengths) };
