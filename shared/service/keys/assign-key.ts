import { Fault } from '../../errors.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { Actor } from '../api/actor.ts';
import type { Context } from '../context.ts';
import { type AssignedRole, type DeliveryKeyRecord, deliveryKeyRecord } from '../records/custody.ts';
import { deliveryKeysPartition } from '../records/keys.ts';
import { putDeliveryKeyRecord, recordedDeliveryKeys } from '../records/locked-records.ts';
import { addDeliveryKey, keyId, publishKey } from './delivery-keys.ts';

/** Roles whose keys sign what others keep. */
const SIGNING = ['delivery', 'longTerm'] as const;
const signs = (role: AssignedRole): role is (typeof SIGNING)[number] => SIGNING.some((one) => one === role);

type AssigningContext = Pick<Context, 'ledger' | 'vault' | 'keyRing' | 'keyAssignments' | 'now'>;

/**
 * The key becomes the one in use for its role, once it was seen to work. What verifies signatures of one that signs, and of all that
 * have signed before it, is in the vault by then: a ledger that is put back may be older than either (I9).
 */
export async function assignKey(
  context: AssigningContext,
  role: AssignedRole,
  uri: string,
  by: Actor,
): Promise<void> {
  const { keyRing, keyAssignments, now } = context;
  if (signs(role)) {
    const { publicKey } = await keyRing[role](uri);
    await recordKeys(context, { uri, publicKey, since: now() });
  } else await keyRing[role](uri);
  await keyAssignments.assign(role, uri, by);
}

/** This one, and all that have signed. */
async function recordKeys({ ledger, vault }: AssigningContext, next: DeliveryKeyRecord): Promise<void> {
  const signed = (await scanAll(ledger, deliveryKeysPartition)).map(deliveryKeyRecord.from);
  for (const key of [...signed, next]) await putDeliveryKeyRecord(vault, keyId(key.publicKey), key);
}

/** Of keys that a ledger from before them does not know: what they signed is verified again, whichever key is in use now. */
export async function restoreDeliveryKeys(context: AssigningContext): Promise<void> {
  const { ledger, vault, keyRing, keyAssignments } = context;
  for await (const record of recordedDeliveryKeys(vault)) await addDeliveryKey(ledger, record);
  // the ones in use have no record before another takes their place, and may have signed since
  for (const role of SIGNING) {
    const assigned = await keyAssignments.find(role);
    if (assigned === undefined) continue;
    await keyRing[role](assigned.uri)
      .then((key) => publishKey(context, key))
      .catch((error: unknown) => {
        // a key that is gone signs nothing either: the restore goes on without it
        if (!(error instanceof Fault)) throw error;
      });
  }
}
