import { randomBytes } from 'node:crypto';
import type { KeyAlgorithm, KeyRole } from '../../shared/keys/provider.ts';
import { keyInToken } from '../../shared/keys/uri.ts';
import type { CurveName } from '../../sim/index.ts';
import type { DeploymentFolder } from './folder.ts';

export const ALGORITHM_OF_CURVE: Readonly<Record<CurveName, KeyAlgorithm>> = {
  p256: 'ecdsa-p256',
  brainpoolP256r1: 'ecdsa-brainpoolP256r1',
  frp256v1: 'ecdsa-frp256v1',
};

export function algorithmOf(role: KeyRole, curve: CurveName): KeyAlgorithm {
  if (role === 'wrapping') return 'aes-256';
  if (role === 'longTerm') return 'ml-dsa-65';
  return role === 'intake' ? 'rsa-oaep' : ALGORITHM_OF_CURVE[curve];
}

/** A name that no key had before, for keys that stand beside older ones of their role. */
export const freshName = (role: KeyRole) =>
  `${role === 'binding' ? 'dppb' : role}-${randomBytes(4).toString('hex')}`;

/** A key of this name: a softkey in the deployment, or in the token that `where` names; or what `where` names itself. */
export const namedKey = (deployment: DeploymentFolder, where: string | undefined, name: string): string =>
  where === undefined ? deployment.keyUri(name) : keyInToken(where, name);
