import { createHash } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import type { SigningKey } from '../../keys/registry.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { deliveryKeyRecord } from '../records/custody.ts';
import { deliveryKeysPartition, ledgerKeys } from '../records/keys.ts';

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
export async function deliveryKey(
  context: Pick<Context, 'ledger' | 'keyRing' | 'keyAssignments' | 'now'>,
): Promise<SigningKey> {
  const { ledger, now } = context;
  const key = await openDeliveryKey(context);
  const place = ledgerKeys.deliveryKey(keyId(key.publicKey));
  if ((await ledger.get(place)) === undefined) {
    const attributes = deliveryKeyRecord.to({ uri: key.uri, publicKey: key.publicKey, since: now() });
    await ledger.write({ put: place, attributes, when: 'absent' });
  }
  return key;
}

/** SubjectPublicKeyInfos of the key in use and of those before it, newest first, but of none that was retired. */
export async function deliveryPublicKeys(
  context: Pick<Context, 'ledger' | 'keyRing' | 'keyAssignments'>,
): Promise<readonly Bytes[]> {
  const { publicKey: current } = await openDeliveryKey(context);
  const retired = new Set(await retiredDeliveryKeys(context));
  const former = (await scanAll(context.ledger, deliveryKeysPartition))
    .map(deliveryKeyRecord.from)
    .filter(({ uri, publicKey }) => !retired.has(uri) && keyId(publicKey) !== keyId(current))
    .sort((a, b) => b.since - a.since);
  return [current, ...former.map(({ publicKey }) => publicKey)];
}

/** URIs of delivery keys whose signatures count no more, oldest first. */
export async function retiredDeliveryKeys({
  keyAssignments,
}: Pick<Context, 'keyAssignments'>): Promise<readonly string[]> {
  const { former } = await keyAssignments.get('delivery');
  return former.filter(({ retiredAt }) => retiredAt !== undefined).map(({ uri }) => uri);
}
