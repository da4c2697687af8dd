import { createHash } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import { mlDsa65Key } from '../../crypto/ml-dsa.ts';
import type { SigningKey } from '../../keys/registry.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { type DeliveryKeyRecord, deliveryKeyRecord } from '../records/custody.ts';
import { deliveryKeysPartition, ledgerKeys } from '../records/keys.ts';

/** Whatever needs no more of a context to sign, and to say what verifies it. */
export type SigningContext = Pick<Context, 'ledger' | 'keyRing' | 'keyAssignments' | 'now'>;

/** The start of SHA-256 over the SubjectPublicKeyInfo: `kid` of the key. */
export const keyId = (spki: Bytes) => createHash('sha256').update(spki).digest('hex').slice(0, 16);

/** The delivery key in use, to be looked at: nothing is written. */
const openDeliveryKey = async ({
  keyRing,
  keyAssignments,
}: Pick<Context, 'keyRing' | 'keyAssignments'>): Promise<SigningKey> =>
  await keyRing.delivery(await keyAssignments.current('delivery'));

/**
 * The delivery key in use, to sign with. Its public key is in the ledger before it signs anything, so that what it
 * signed can be verified when the key itself is gone from its backend.
 */
export async function deliveryKey(context: SigningContext): Promise<SigningKey> {
  const key = await openDeliveryKey(context);
  await publishKey(context, key);
  return key;
}

/** Writes down what verifies what this key signs, unless it is there. */
export const publishKey = (
  { ledger, now }: Pick<Context, 'ledger' | 'now'>,
  { uri, publicKey }: SigningKey,
): Promise<void> => addDeliveryKey(ledger, { uri, publicKey, since: now() });

export async function addDeliveryKey(ledger: Ledger, key: DeliveryKeyRecord): Promise<void> {
  const place = ledgerKeys.deliveryKey(keyId(key.publicKey));
  if ((await ledger.get(place)) !== undefined) return;
  await ledger.write({ put: place, attributes: deliveryKeyRecord.to(key), when: 'absent' });
}

/** SubjectPublicKeyInfos of the key in use and of those before it, newest first, but of none that was retired. */
export async function deliveryPublicKeys(context: SigningContext): Promise<readonly Bytes[]> {
  const { publicKey } = await openDeliveryKey(context);
  return await signedKeys(context, publicKey, 'delivery', (spki) => mlDsa65Key(spki) === undefined);
}

/** This key of a role, and those of its kind that signed before, newest first, but none that was retired. */
export async function signedKeys(
  context: SigningContext,
  current: Bytes,
  role: 'delivery' | 'longTerm',
  isOfRole: (spki: Bytes) => boolean,
): Promise<readonly Bytes[]> {
  const retired = new Set(await retiredKeys(context, role));
  const former = (await scanAll(context.ledger, deliveryKeysPartition))
    .map(deliveryKeyRecord.from)
    .filter(
      ({ uri, publicKey }) => isOfRole(publicKey) && !retired.has(uri) && keyId(publicKey) !== keyId(current),
    )
    .sort((a, b) => b.since - a.since);
  return [current, ...former.map(({ publicKey }) => publicKey)];
}

/** URIs of delivery keys whose signatures count no more, oldest first. */
export const retiredDeliveryKeys = (context: Pick<Context, 'keyAssignments'>): Promise<readonly string[]> =>
  retiredKeys(context, 'delivery');

async function retiredKeys(
  { keyAssignments }: Pick<Context, 'keyAssignments'>,
  role: 'delivery' | 'longTerm',
): Promise<readonly string[]> {
  const { former } = await keyAssignments.get(role);
  return former.filter(({ retiredAt }) => retiredAt !== undefined).map(({ uri }) => uri);
}
