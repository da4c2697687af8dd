import { brainpoolP256r1 } from '@noble/curves/misc.js';
import { p256 } from '@noble/curves/nist.js';
import { DerError, type Octets } from './tlv.ts';

const CURVES = { p256, brainpoolP256r1 } as const;
export type Curve = keyof typeof CURVES;

/** Signs octets: ECDSA with SHA-256, raw r ‖ s of 64 octets (Sig64). An HSM stands behind one as well as a key in memory. */
export type Signer = (octets: Octets) => Octets | Promise<Octets>;

/** A signer on a secret scalar of 32 octets, for tests and pilots. */
export const softwareSigner =
  (curve: Curve, scalar: Octets): Signer =>
  (octets) =>
    CURVES[curve].sign(octets, scalar, { lowS: false });

/** Holds a Sig64 against a point: 65 octets 04 ‖ X ‖ Y, or compressed. */
export const verify = (curve: Curve, point: Octets, octets: Octets, signature: Octets): boolean =>
  signature.length === 64 && CURVES[curve].verify(signature, octets, point, { lowS: false });

/** The uncompressed point of a secret scalar: the otPk of a one-time key on a curve. */
export const publicPoint = (curve: Curve, scalar: Octets): Octets =>
  CURVES[curve].getPublicKey(scalar, false);

/** A Sig64 of what `signer` gives; a DER signature is a usual mistake of HSM libraries. */
export async function sig64(signer: Signer, octets: Octets): Promise<Octets> {
  const signature = await signer(octets);
  if (signature.length !== 64)
    throw new DerError(`a signature is raw r ‖ s of 64 octets; this one has ${signature.length}`);
  return signature;
}
