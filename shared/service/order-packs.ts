import { randomUUID } from 'node:crypto';
import { utf8, wipe } from '../codec/bytes.ts';
import { invariant, refuse } from '../errors.ts';
import { encodePack, type PackEntry } from '../profile/pack.ts';
import { personalise } from '../profile/package/personalise.ts';
import { generatePpk, wipePpk } from '../profile/ppk.ts';
import { sealPpk } from '../profile/ppk-seal.ts';
import { protectProfile } from '../profile/protect.ts';
import { encodeStoreMetadata, type StoreMetadataRequest } from '../rsp/store-metadata.ts';
import { storeMetadataFromJson } from '../rsp/store-metadata-json.ts';
import { auditWrite } from './audit.ts';
import type { Context } from './context.ts';
import { encryptRows } from './output-rows.ts';
import { destroyPackKeys, packContext } from './packs.ts';
import { compileRules, type Personaliser } from './personalisation.ts';
import { ledgerKeys } from './records/keys.ts';
import {
  type OrderRecord,
  orderRecord,
  orderStateRecord,
  type PackRecord,
  packRecord,
  supplyRecord,
} from './records/order.ts';
import { type SealedPlace, unseal } from './sealed.ts';

export const packCount = (order: OrderRecord) => Math.ceil(order.quantity / order.packSize);

export const templateContext = (orderId: string) => ({ order: orderId, purpose: 'template' });

export const templatePlace = (orderId: string): SealedPlace => ({
  name: `${orderId}/template`,
  place: { orderId },
  context: templateContext(orderId),
});

/**
 * Makes one pack of an order: each profile personalised, at once protected under its own PPK and forgotten in clear
 * (DPFF01–03, I5). An attempt writes PPKs, pack and output rows under names of its own; one conditional write then
 * makes them the pack, together. A repeat finds it done or starts afresh, and no output row that anyone could read
 * differs from what is in the pack.
 */
export async function preparePack(context: Context, orderId: string, pack: number): Promise<void> {
  const { ledger, vault, ppks, dataKeys, random } = context;
  const key = ledgerKeys.orderPack(orderId, pack);
  if ((await ledger.get(key)) !== undefined) return;
  const order = await loadOrder(context, orderId);
  const personaliser = await openTemplate(context, orderId, order);
  const first = pack * order.packSize;
  const positions = Array.from(
    { length: Math.min(order.packSize, order.quantity - first) },
    (_, i) => first + i,
  );
  await reserveIccids(context, orderId, positions, personaliser);

  const attempt = randomUUID();
  const ppkName = `${orderId}/${pack}/${attempt}`;
  const dataKeyName = `${ppkName}-key`;
  const { dataKey, stored } = await dataKeys.generate(
    dataKeyName,
    { orderId, pack },
    packContext(orderId, pack),
  );

  const entries: PackEntry[] = [];
  const sealed: Uint8Array[] = [];
  const iccids: string[] = [];
  const rows: string[] = [];
  for (const position of positions) {
    const values = personaliser.values(position);
    const iccid = values.iccid!;
    const upp = personalise(personaliser.template, values);
    const ppk = generatePpk(random);
    entries.push({
      metadata: encodeStoreMetadata(metadataOf(context, order, iccid)),
      segments: protectProfile(upp, ppk),
    });
    sealed.push(sealPpk(dataKey, ppk, { orderId, position, iccid }));
    wipe(upp);
    wipePpk(ppk);
    iccids.push(iccid);
    if (order.outputKey !== undefined) rows.push(JSON.stringify(values));
  }
  await ppks.putPack(dataKeyName, stored, []);
  await ppks.putPack(ppkName, new Uint8Array(), sealed);
  const { body, offsets } = encodePack(entries);
  const object = await vault.put(`orders/${orderId}/packs/${pack}-${attempt}`, body);
  const output =
    order.outputKey &&
    (await vault.put(
      `orders/${orderId}/output/${pack}-${attempt}`,
      utf8(await encryptRows(order.outputKey, rows, { orderId, pack, packs: packCount(order) })),
    ));
  const record: PackRecord = {
    object,
    offsets,
    iccids,
    ppks: ppkName,
    dataKey: dataKeyName,
    ...(output === undefined ? {} : { output }),
  };
  const { done } = await ledger.write({ put: key, attributes: packRecord.to(record), when: 'absent' });
  if (done) return;
  // another attempt was faster: ours is in no record, and its keys go
  await destroyPackKeys(context, record);
  await vault.remove(object.name);
  if (output !== undefined) await vault.remove(output.name);
}

/** Opens the order for requests once all packs are there; may be repeated. */
export async function finishOrder(context: Context, orderId: string): Promise<boolean> {
  const { ledger, now } = context;
  const order = await loadOrder(context, orderId);
  if ((await preparedPacks(context, orderId)) < packCount(order)) return false;
  const stateItem = await ledger.get(ledgerKeys.orderState(orderId));
  invariant(stateItem !== undefined, `order ${orderId} has no state`);
  const open = await ledger.get(ledgerKeys.openWork('order', orderId));
  if (orderStateRecord.from(stateItem).state === 'Preparing') {
    await ledger.transact([
      {
        put: stateItem,
        attributes: orderStateRecord.to({ state: 'Open' }),
        when: { revision: stateItem.revision },
      },
      {
        put: ledgerKeys.orderSupply(orderId),
        attributes: supplyRecord.to({ next: 0, end: order.quantity, taken: [] }),
        when: 'absent',
      },
      auditWrite(
        { event: 'order.prepared', by: order.operator, about: { order: orderId, quantity: order.quantity } },
        `order-open-${orderId}`,
        now(),
      ),
    ]);
  }
  if (open !== undefined) await ledger.write({ remove: open, when: { revision: open.revision } });
  return true;
}

export async function preparedPacks({ ledger }: Context, orderId: string): Promise<number> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const page = await ledger.query(`order#${orderId}`, {
      prefix: 'pack#',
      ...(cursor === undefined ? {} : { cursor }),
    });
    count += page.items.length;
    cursor = page.cursor;
  } while (cursor !== undefined);
  return count;
}

export async function loadOrder({ ledger }: Context, orderId: string): Promise<OrderRecord> {
  const item = await ledger.get(ledgerKeys.order(orderId));
  invariant(item !== undefined, `there is no order ${orderId}`);
  return orderRecord.from(item);
}

/** An ICCID belongs to one position of one order for ever (I2). */
export async function reserveIccids(
  { ledger }: Context,
  orderId: string,
  positions: readonly number[],
  { iccid }: Personaliser,
): Promise<void> {
  const outcomes = await ledger.writeMany(
    positions.map((position) => ({
      put: ledgerKeys.iccid(iccid(position)),
      attributes: { orderId, position },
      when: 'absent',
    })),
  );
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.done) continue;
    const owner = outcome.found?.attributes;
    if (owner?.orderId !== orderId || owner.position !== positions[i]) {
      refuse('iccidInUse', 'the ICCID belongs to another order', { subjectIdentifier: iccid(positions[i]!) });
    }
  }
}

async function openTemplate(context: Context, orderId: string, order: OrderRecord): Promise<Personaliser> {
  const sealed = await context.vault.get(order.template);
  const upp = await unseal(context, { sealed, wrappedKey: order.templateKey }, templateContext(orderId));
  const { profileClass = 'operational' } = metadataOf(context, order, PLACEHOLDER_ICCID);
  return compileRules(upp, order.personalisation, profileClass, context.random);
}

/** Stands in where metadata is checked before there is an ICCID. */
export const PLACEHOLDER_ICCID = '8900000000000000003';

/** The order's metadata for one profile; installations and deletions are notified to us unless the Operator says otherwise. */
export function metadataOf(
  { settings }: Pick<Context, 'settings'>,
  order: Pick<OrderRecord, 'metadata'>,
  iccid: string,
): StoreMetadataRequest {
  const metadata = storeMetadataFromJson({ ...order.metadata, iccid });
  if (metadata.notificationConfigurationInfo !== undefined) return metadata;
  return {
    ...metadata,
    notificationConfigurationInfo: [
      { profileManagementOperation: ['install', 'delete'], notificationAddress: settings.address },
    ],
  };
}
