import type { Bytes } from '../codec/bytes.ts';
import { CURVES, type Curve, type PublicKey } from '../crypto/curves.ts';
import { Fault } from '../errors.ts';
import type { KeyAlgorithm } from './provider.ts';

/** The curve that a key of this algorithm is on; a Fault for keys on none. */
export function curveOfKey(algorithm: KeyAlgorithm): Curve {
  const curve = CURVES.find(({ name }) => algorithm === `ecdsa-${name}` || algorithm === `ecdh-${name}`);
  if (curve === undefined) throw new Fault('configuration', `a key of ${algorithm} is on no curve`);
  return curve;
}

export const isAgreement = (algorithm: KeyAlgorithm): boolean => algorithm.startsWith('ecdh-');
export const isSigning = (algorithm: KeyAlgorithm): boolean => algorithm.startsWith('ecdsa-');

/**
 * The other side of a key agreement, checked to be a point of the key's curve (BSI TR-03111 section 4.3.1): a point
 * off the curve would give a few bits of the private key away at each call. Backends are not relied on for that.
 */
export function requirePeer(algorithm: KeyAlgorithm, peerPoint: Bytes): PublicKey {
  return curveOfKey(algorithm).publicKey(peerPoint);
}
