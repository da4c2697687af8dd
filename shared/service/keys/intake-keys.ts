import type { Bytes } from '../../codec/bytes.ts';
import { Fault, Refusal } from '../../errors.ts';
import { type BlockJwe, openBlockJwe } from '../../keys/intake-jwe.ts';
import { scanPages } from '../../ledger/scan.ts';
import type { Actor } from '../api/actor.ts';
import type { Context } from '../context.ts';
import { ledgerKeys, parseOpenWorkName, partitions } from '../records/keys.ts';
import { orderRecord } from '../records/order.ts';
import { PREPARING } from '../records/work-kinds.ts';
import { keyId } from './delivery-keys.ts';

/**
 * What opens blocks of rows: the intake key in use and, as long as they are not retired, those before it, since an
 * Operator may have encrypted a file before a rotation that arrives after it. Undefined where there is no intake key.
 */
export async function blockOpener({
  keyAssignments,
  keyRing,
}: Pick<Context, 'keyAssignments' | 'keyRing'>): Promise<((jwe: BlockJwe) => Promise<Bytes>) | undefined> {
  const assignment = await keyAssignments.find('intake');
  if (assignment === undefined) return undefined;
  const former = assignment.former.filter(({ retiredAt }) => retiredAt === undefined).reverse();
  return async (jwe) => {
    const inUse = await keyRing.intake(assignment.uri);
    try {
      return await openBlockJwe(jwe, inUse);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      for (const { uri } of former) {
        try {
          return await openBlockJwe(jwe, await keyRing.intake(uri));
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
        }
      }
      throw refusal;
    }
  };
}

/** `kid` of the keys that `blockOpener` tries. */
export async function intakeKeyIds({
  keyAssignments,
  keyRing,
}: Pick<Context, 'keyAssignments' | 'keyRing'>): Promise<readonly string[]> {
  const assignment = await keyAssignments.find('intake');
  if (assignment === undefined) return [];
  const former = assignment.former.filter(({ retiredAt }) => retiredAt === undefined);
  const uris = [assignment.uri, ...former.map(({ uri }) => uri)];
  return await Promise.all(uris.map(async (uri) => keyId((await keyRing.intake(uri)).publicKey)));
}

/**
 * Ends the use of a former intake key. Refused while an order is being prepared from encrypted rows, which are opened
 * again pack by pack. A file that comes later under this key is refused; its Operator fetches getServerKeys again.
 */
export async function retireIntakeKey(
  { ledger, keyAssignments }: Pick<Context, 'ledger' | 'keyAssignments'>,
  keyUri: string,
  by: Actor,
): Promise<void> {
  for await (const items of scanPages(ledger, partitions.openWork)) {
    const orders = items
      .map(({ sort }) => parseOpenWorkName(sort))
      .flatMap(({ kind, id }) => (PREPARING.some((one) => one === kind) ? [id] : []));
    for (const item of await ledger.getMany(orders.map((orderId) => ledgerKeys.order(orderId)))) {
      const personalisation = item && orderRecord.from(item).personalisation;
      if (personalisation !== undefined && 'format' in personalisation && personalisation.format === 'jwe')
        throw new Fault(
          'configuration',
          'an order is being prepared from encrypted rows; retire the key once it is done',
        );
    }
  }
  await keyAssignments.retire('intake', keyUri, by);
}
