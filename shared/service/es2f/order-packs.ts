import { randomUUID } from 'node:crypto';
import { utf8, wipe } from '../../codec/bytes.ts';
import { completeIccid } from '../../codec/iccid.ts';
import { invariant, Refusal } from '../../errors.ts';
import type { Work } from '../../jobs/dispatcher.ts';
import type { Item } from '../../ledger/ledger.ts';
import { encodePack, type PackEntry } from '../../profile/pack.ts';
import { generatePpk, wipePpk } from '../../profile/ppk.ts';
import { sealPpk } from '../../profile/ppk-seal.ts';
import { protectProfile } from '../../profile/protect.ts';
import { inRow, type Row, refuseRow } from '../../profile/rows/row.ts';
import { encodeStoreMetadata } from '../../rsp/store-metadata.ts';
import type { OrderState } from '../api/es2f.ts';
import { itemRefusal } from '../api/item-refusal.ts';
import { auditWrite } from '../audit/audit.ts';
import type { Context } from '../context.ts';
import { type SealedPlace, unseal } from '../keys/sealed.ts';
import { ledgerKeys, PACK_MADE } from '../records/keys.ts';
import { putOrderRecord } from '../records/locked-records.ts';
import {
  type OrderRecord,
  type OrderStateRecord,
  orderRecord,
  orderStateRecord,
  type PackRecord,
  packRecord,
  supplyRecord,
} from '../records/order.ts';
import { destroyPackKeys, packContext } from '../supply/packs.ts';
import { metadataOf, PLACEHOLDER_ICCID } from './order-metadata.ts';
import { checkRows, loadRowIndex, packRows, rowFile, storeRowIndex } from './order-rows.ts';
import { destroyOrderUploads } from './order-uploads.ts';
import { encryptRows } from './output-rows.ts';
import { compilePersonaliser, type Personaliser, ruleColumns, ruleRow } from './personalisation.ts';
import { auditedProfile } from './profile-making.ts';

/** Packs of the order's own; those beyond hold one replacement each. */
export const packCount = (order: OrderRecord) => Math.ceil(order.quantity / order.packSize);

/** What is to be done first: rows that are not checked yet are checked as a whole, and the packs follow. */
export const firstWork = (orderId: string, order: OrderRecord, rowsChecked: boolean): Work =>
  order.rows === undefined || rowsChecked
    ? { kind: 'order', id: orderId, tasks: packCount(order) }
    : { kind: 'rows', id: orderId, tasks: 1 };

export const templateContext = (orderId: string) => ({ order: orderId, purpose: 'template' });

export const templatePlace = (orderId: string): SealedPlace => ({
  name: `${orderId}/template`,
  place: { orderId },
  context: templateContext(orderId),
});

/**
 * Makes one pack of an order: each profile personalised, read back, at once protected under its own PPK and forgotten
 * in clear (DPFF01–03, I5). An attempt writes PPKs, pack and output rows under names of its own; one conditional write
 * then makes them the pack, together. A repeat finds it done or starts afresh, and no output row that anyone could
 * read differs from what is in the pack. What is wrong with the order itself rejects it.
 */
export async function preparePack(context: Context, orderId: string, pack: number): Promise<void> {
  const { ledger } = context;
  const [known, stateItem] = await ledger.getMany([
    ledgerKeys.orderPack(orderId, pack),
    ledgerKeys.orderState(orderId),
  ]);
  if (known !== undefined) return;
  const order = await loadOrder(context, orderId);
  invariant(stateItem !== undefined, `order ${orderId} has no state`);
  const wanted: OrderState = pack < packCount(order) ? 'Preparing' : 'Open';
  if (orderStateRecord.from(stateItem).state !== wanted) return;
  try {
    const { rows, personaliser } = await rowsOf(context, orderId, order, pack);
    await reserveIccids(context, orderId, pack * order.packSize, rows);
    await makePack(context, { orderId, order, pack, stateItem, rows, personaliser });
  } catch (error) {
    if (!(error instanceof Refusal) || wanted !== 'Preparing') throw error;
    await rejectOrder(context, orderId, error);
    throw error;
  }
}

interface PackWork {
  readonly orderId: string;
  readonly order: OrderRecord;
  readonly pack: number;
  readonly stateItem: Item;
  readonly rows: readonly Row[];
  readonly personaliser: Personaliser;
}

async function makePack(context: Context, work: PackWork): Promise<void> {
  const { ledger, vault, ppks, dataKeys } = context;
  const { orderId, order, pack, stateItem } = work;
  const attempt = randomUUID();
  const names = { ppks: `${orderId}/${pack}/${attempt}`, dataKey: `${orderId}/${pack}/${attempt}-key` };
  const { dataKey, stored } = await dataKeys.generate(
    names.dataKey,
    { orderId, pack },
    packContext(orderId, pack),
  );

  const entries: PackEntry[] = [];
  const sealed: Uint8Array[] = [];
  const iccids: string[] = [];
  const output: string[] = [];
  for (const [place, row] of work.rows.entries()) {
    const values = work.personaliser.complete(row.values);
    const iccid = completeIccid(String(values.iccid));
    const metadata = metadataOf(context, order, iccid);
    const upp = auditedProfile(work.personaliser, row.number, values, metadata);
    const ppk = generatePpk(context.random);
    entries.push({
      metadata: encodeStoreMetadata(metadata),
      segments: protectProfile(upp, ppk),
    });
    sealed.push(sealPpk(dataKey, ppk, { orderId, position: pack * order.packSize + place, iccid }));
    wipe(upp);
    wipePpk(ppk);
    iccids.push(iccid);
    if (order.outputKey !== undefined) output.push(JSON.stringify({ ...values, iccid }));
  }
  await ppks.putPack(names.dataKey, stored, []);
  await ppks.putPack(names.ppks, new Uint8Array(), sealed);
  const { body, offsets } = encodePack(entries);
  const object = await vault.put(`orders/${orderId}/packs/${pack}-${attempt}`, body);
  // a replacement beyond the order's own packs is the last one there is
  const packs = Math.max(packCount(order), pack + 1);
  const outputRef =
    order.outputKey &&
    (await vault.put(
      `orders/${orderId}/output/${pack}-${attempt}`,
      utf8(await encryptRows(order.outputKey, output, { orderId, pack, packs })),
    ));
  const record: PackRecord = {
    object,
    offsets,
    iccids,
    ...names,
    ...(outputRef === undefined ? {} : { output: outputRef }),
  };
  const { done } = await ledger.transact([
    { put: ledgerKeys.orderPack(orderId, pack), attributes: packRecord.to(record), when: 'absent' },
    { put: ledgerKeys.orderPackMade(orderId, pack), attributes: {}, when: 'absent' },
    { check: stateItem, when: { revision: stateItem.revision } },
  ]);
  if (done) return;
  // another attempt was faster, or the order was taken back: ours is in no record, and its keys go
  await destroyPackKeys(context, names);
  await vault.remove(object.name);
  if (outputRef !== undefined) await vault.remove(outputRef.name);
}

async function rowsOf(context: Context, orderId: string, order: OrderRecord, pack: number) {
  const upp = await openTemplate(context, orderId, order);
  const compile = (columns: readonly string[]) => compileFor(context, order, upp, columns);
  const { personalisation } = order;
  try {
    if ('format' in personalisation) {
      const index = await loadRowIndex(context, orderId);
      invariant(index !== undefined, `the rows of order ${orderId} were not checked`);
      return {
        rows: await packRows(context, orderId, order, pack, index),
        personaliser: compile(index.columns),
      };
    }
    const extra = pack - packCount(order);
    const first = extra < 0 ? pack * order.packSize : order.quantity + extra;
    const count = extra < 0 ? Math.min(order.packSize, order.quantity - first) : 1;
    const rows = Array.from(
      { length: count },
      (_, i): Row => ({ number: first + i + 1, values: ruleRow(personalisation, first + i) }),
    );
    return { rows, personaliser: compile(ruleColumns(personalisation)) };
  } finally {
    wipe(upp);
  }
}

/** Reads the rows of a large order to their end, before the first of them is used; bad ones reject the order. */
export async function checkOrderRows(context: Context, orderId: string): Promise<void> {
  const order = await loadOrder(context, orderId);
  const { personalisation, rows } = order;
  invariant('format' in personalisation && rows !== undefined, `order ${orderId} has no rows`);
  if ((await loadRowIndex(context, orderId)) !== undefined) return;
  const upp = await openTemplate(context, orderId, order);
  try {
    const file = await rowFile(context, orderId, personalisation);
    const octets = context.vault.getStream(rows);
    const index = await checkRows(context, file, octets, order, (columns) =>
      compileFor(context, order, upp, columns),
    );
    await storeRowIndex(context, orderId, index);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await rejectOrder(context, orderId, error);
  } finally {
    wipe(upp);
  }
}

/** Rows that are good become packs; may be repeated. */
export async function finishRows(context: Context, orderId: string): Promise<boolean> {
  const { ledger, dispatcher } = context;
  const done = await ledger.get(ledgerKeys.openWork('rows', orderId));
  if (done === undefined) return true;
  if ((await loadRowIndex(context, orderId)) === undefined) return false;
  const order = await loadOrder(context, orderId);
  const work = firstWork(orderId, order, true);
  await ledger.transact([
    { remove: done, when: { revision: done.revision } },
    { put: ledgerKeys.openWork('order', orderId), attributes: { tasks: work.tasks }, when: 'absent' },
  ]);
  await dispatcher.submit(work);
  return true;
}

export function compileFor(
  context: Pick<Context, 'settings' | 'random'>,
  order: Pick<OrderRecord, 'metadata' | 'personalisation'>,
  upp: Uint8Array,
  columns: readonly string[],
): Personaliser {
  const { profileClass = 'operational' } = metadataOf(context, order, PLACEHOLDER_ICCID);
  return compilePersonaliser(upp, order.personalisation, columns, profileClass, context.random);
}

async function openTemplate(context: Context, orderId: string, order: OrderRecord) {
  const sealed = await context.vault.get(order.template);
  return await unseal(context, { sealed, wrappedKey: order.templateKey }, templateContext(orderId));
}

/** Opens the order for requests once all packs are there; may be repeated. */
export async function finishOrder(context: Context, orderId: string): Promise<boolean> {
  const { ledger, now } = context;
  const order = await loadOrder(context, orderId);
  const stateItem = await ledger.get(ledgerKeys.orderState(orderId));
  invariant(stateItem !== undefined, `order ${orderId} has no state`);
  const { state } = orderStateRecord.from(stateItem);
  if (state === 'Preparing') {
    if ((await preparedPacks(context, orderId)) < packCount(order)) return false;
    await putOrderRecord(context.vault, orderId, order);
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
  await destroyOrderUploads(context, order);
  const open = await ledger.get(ledgerKeys.openWork('order', orderId));
  if (open !== undefined) await ledger.write({ remove: open, when: { revision: open.revision } });
  return true;
}

/** The order turned out to be bad: its PPKs are destroyed and its ICCIDs, none of them ever bound, are free again. */
export async function rejectOrder(context: Context, orderId: string, refusal: Refusal): Promise<void> {
  const { ledger, now } = context;
  const order = await loadOrder(context, orderId);
  for (;;) {
    const [stateItem, ...open] = await ledger.getMany([
      ledgerKeys.orderState(orderId),
      ledgerKeys.openWork('order', orderId),
      ledgerKeys.openWork('rows', orderId),
    ]);
    invariant(stateItem !== undefined, `order ${orderId} has no state`);
    const { state } = orderStateRecord.from(stateItem);
    if (state === 'Rejected') break;
    if (state !== 'Preparing') return;
    const record: OrderStateRecord = { state: 'Rejected', reason: itemRefusal(refusal) };
    const { done } = await ledger.transact([
      { put: stateItem, attributes: orderStateRecord.to(record), when: { revision: stateItem.revision } },
      ...open.flatMap((item) =>
        item === undefined ? [] : [{ remove: item, when: { revision: item.revision } }],
      ),
      auditWrite(
        { event: 'order.rejected', by: 'server', about: { order: orderId, code: refusal.code } },
        `order-rejected-${orderId}`,
        now(),
      ),
    ]);
    if (done) break;
  }
  await destroyOrderUploads(context, order);
  for (let pack = 0; pack < packCount(order); pack++) {
    const item = await ledger.get(ledgerKeys.orderPack(orderId, pack));
    if (item === undefined) continue;
    const record = packRecord.from(item);
    await destroyPackKeys(context, record);
    await freeIccids(context, orderId, record.iccids);
  }
}

/** Gives ICCIDs free that no eUICC was ever bound to; the caller has made sure of that. */
export async function freeIccids(
  { ledger }: Context,
  orderId: string,
  iccids: readonly string[],
): Promise<void> {
  const owners = await ledger.getMany(iccids.map((iccid) => ledgerKeys.iccid(iccid)));
  const own = owners.flatMap((item) => (item?.attributes.orderId === orderId ? [item] : []));
  await ledger.writeMany(own.map((item) => ({ remove: item, when: { revision: item.revision } })));
}

/** Packs of the order's own that are committed. */
export async function preparedPacks({ ledger }: Context, orderId: string): Promise<number> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const page = await ledger.query(`order#${orderId}`, {
      prefix: PACK_MADE,
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

/**
 * An ICCID belongs to one position of one order (I2). Those that an attempt took before it met one of another order
 * are given back.
 */
export async function reserveIccids(
  context: Context,
  orderId: string,
  first: number,
  rows: readonly Row[],
): Promise<void> {
  const iccids = rows.map(({ number, values }) => inRow(number, () => completeIccid(String(values.iccid))));
  const outcomes = await context.ledger.writeMany(
    iccids.map((iccid, i) => ({
      put: ledgerKeys.iccid(iccid),
      attributes: { orderId, position: first + i },
      when: 'absent',
    })),
  );
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.done) continue;
    const owner = outcome.found?.attributes;
    if (owner?.orderId === orderId && owner.position === first + i) continue;
    await freeIccids(context, orderId, iccids);
    refuseRow('iccidInUse', rows[i]!.number, 'iccid', 'belongs to another order');
  }
}
