import { CURVES, type Curve } from '../crypto/curves.ts';
import { Fault, Refusal } from '../errors.ts';
import type { KeyAlgorithm } from './provider.ts';

/** The curve that a key of this algorithm is on; a Fault for keys on none. */
export function curveOfKey(algorithm: KeyAlgorithm): Curve {
  const curve = CURVES.find(({ keyAlgorithm }) => algorithm === keyAlgorithm);
  if (curve === undefined) throw new Fault('configuration', `a key of ${algorithm} is on no curve`);
  return curve;
}

export const isSigning = (algorithm: KeyAlgorithm): boolean => algorithm.startsWith('ecdsa-');

/** Reads a key of ours: a form of it that is refused is a matter of our configuration. No cause, since it may be a secret. */
export function readAsOwn<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal) throw new Fault('configuration', error.message);
    throw error;
  }
}
