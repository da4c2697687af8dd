import { Fault } from '../errors.ts';
import type { KeyAlgorithm, KeyRole } from './provider.ts';

/** The algorithms that a role's keys may have. */
const ALGORITHMS_OF_ROLE: Readonly<Record<KeyRole, readonly KeyAlgorithm[]>> = {
  binding: ['ecdsa-p256', 'ecdsa-brainpoolP256r1', 'ecdsa-frp256v1'],
  // reports are signed with ES256 (RFC 7518 section 3.4)
  delivery: ['ecdsa-p256'],
  wrapping: ['aes-256'],
  intake: ['rsa-oaep'],
  longTerm: ['ml-dsa-65'],
};

export function requireRoleFits(role: KeyRole, algorithm: KeyAlgorithm): void {
  if (!ALGORITHMS_OF_ROLE[role].includes(algorithm)) {
    throw new Fault('configuration', `a key for ${role} cannot be ${algorithm}`);
  }
}

/** A key is used in its own role only (GENS05): one for binding never signs a manifest. */
export function requireRole(uri: string, role: KeyRole, ...allowed: readonly KeyRole[]): void {
  if (!allowed.includes(role)) {
    throw new Fault('configuration', `the key ${uri} is for ${role}, not for ${allowed.join(' or ')}`);
  }
}
