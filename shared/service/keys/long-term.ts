import { type Bytes, concat, utf8 } from '../../codec/bytes.ts';
import { mlDsa65Key } from '../../crypto/ml-dsa.ts';
import { Digest } from '../../keys/provider.ts';
import { keyId, publishKey, type SigningContext, signedKeys } from './delivery-keys.ts';
import { base64url } from './signed.ts';

/**
 * Second signatures, for what must hold when ECDSA does not any more: manifests, order reports, statements. They are by a
 * long-term key (ML-DSA-65), where the deployment has one, and cover the octets of what the delivery key signed, its
 * signature included. Whoever knows that a server has such keys (`longTermKeys` of getServerKeys) asks for both.
 */
export const LONG_TERM_TYP = 'smdpf-long-term+jws';

/**
 * A compact JWS with detached content (RFC 7515 appendix F; ML-DSA-65 of RFC 9964) over these octets; undefined where no
 * long-term key is in use. ML-DSA draws randomness, so that each call gives another signature.
 */
export async function longTermSignature(context: SigningContext, octets: Bytes): Promise<string | undefined> {
  const assigned = await context.keyAssignments.find('longTerm');
  if (assigned === undefined) return undefined;
  const key = await context.keyRing.longTerm(assigned.uri);
  await publishKey(context, key);
  const header = base64url(
    JSON.stringify({ alg: 'ML-DSA-65', typ: LONG_TERM_TYP, kid: keyId(key.publicKey) }),
  );
  const signature = await key.sign(Digest.of(concat(utf8(`${header}.`), utf8(base64url(octets)))));
  return `${header}..${base64url(signature)}`;
}

/** SubjectPublicKeyInfos of the long-term key in use and of those before it, newest first, but of none that was retired. */
export async function longTermPublicKeys(context: SigningContext): Promise<readonly Bytes[]> {
  const assigned = await context.keyAssignments.find('longTerm');
  if (assigned === undefined) return [];
  const { publicKey } = await context.keyRing.longTerm(assigned.uri);
  return await signedKeys(context, publicKey, 'longTerm', (spki) => mlDsa65Key(spki) !== undefined);
}

/** What a stored second signature leans on: it is made anew once its key was retired. */
export async function longTermStanding({
  keyAssignments,
}: Pick<SigningContext, 'keyAssignments'>): Promise<readonly string[]> {
  const { uri, former = [] } = (await keyAssignments.find('longTerm')) ?? {};
  const retired = former.filter(({ retiredAt }) => retiredAt !== undefined).map((one) => one.uri);
  return uri === undefined ? [] : ['longTerm', ...retired];
}
