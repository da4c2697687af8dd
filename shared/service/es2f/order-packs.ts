import { randomUUID } from 'node:crypto';
import { together } from '../../concurrency.ts';
import { invariant, Refusal } from '../../errors.ts';
import type { Item, Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import { PackWriter } from '../../profile/pack.ts';
import type { Row } from '../../profile/rows/row.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { OrderState } from '../api/es2f.ts';
import type { Context } from '../context.ts';
import { orderCountWrites } from '../counts/order-counts.ts';
import { transactCounted } from '../counts/transact.ts';
import { type Attempt, abandonAttempt, beginAttempt } from '../life/attempts.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames, ppkNames } from '../records/object-names.ts';
import {
  type OrderRecord,
  orderStateRecord,
  type PackRecord,
  packCount,
  packMade,
  packRecord,
} from '../records/order.ts';
import { packContext } from '../records/wrap-contexts.ts';
import { loadOrder } from '../supply/own-order.ts';
import { reserveIccids } from './order-iccids.ts';
import { rejectOrder } from './order-preparation.ts';
import { packRows } from './order-rows.ts';
import { encryptRows, OutputRows } from './output-rows.ts';
import { type Personaliser, ruleRow } from './personalisation.ts';
import { protectedProfile } from './profile-making.ts';
import { readyOrder } from './ready-order.ts';

/**
 * Makes one pack of an order: each profile personalised, read back, at once protected under its own PPK and forgotten
 * in clear (DPFF01–03, I5). An attempt writes PPKs, pack and output rows under names of its own; one conditional write
 * then makes them the pack, together, and takes away the trace that would destroy them (life/attempts.ts). A repeat finds it done or starts afresh, and no output row that anyone could
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
  const { orderId, pack } = work;
  const attempt = randomUUID();
  const names = ppkNames(orderId, pack, attempt);
  const written = await beginAttempt(context, 'pack', attempt, {
    ppks: [names.ppks, names.dataKey],
    objects: [objectNames.pack(orderId, pack, attempt), objectNames.output(orderId, pack, attempt)],
    holder: ledgerKeys.orderPack(orderId, pack),
  });
  const output = work.order.outputKey === undefined ? undefined : new OutputRows();
  try {
    await commitPack(context, work, written, await writePack(context, work, attempt, output));
  } finally {
    output?.wipe();
  }
}

/** Writes what an attempt leaves; `output` has the rows of the profiles that were made, also where one of them or a store failed. */
async function writePack(
  context: Context,
  work: PackWork,
  attempt: string,
  output: OutputRows | undefined,
): Promise<PackRecord> {
  const { ppks, dataKeys } = context;
  const { orderId, pack } = work;
  const names = ppkNames(orderId, pack, attempt);
  const place = { orderId, pack };
  const { dataKey, stored } = await dataKeys.generate(names.dataKey, place, packContext(orderId, pack));
  const writer = new PackWriter(work.rows.length);
  const profiles = work.rows.map((row, i) => {
    const position = pack * work.order.packSize + i;
    return protectedProfile(work.personaliser, row, writer, { dataKey, orderId, position }, output);
  });
  const sealed = profiles.map(({ sealedPpk }) => sealedPpk);
  const { body, offsets } = writer.finish();
  // each is flushed by itself, and nobody looks at one before the commit names them all
  const [, [object, rows]] = await together(
    together(ppks.putPack(names.dataKey, stored, []), ppks.putPack(names.ppks, new Uint8Array(), sealed)),
    together(
      context.vault.put(objectNames.pack(orderId, pack, attempt), body),
      putOutput(context, work, attempt, output),
    ),
  );
  writer.release();
  const iccids = profiles.map(({ iccid }) => iccid);
  return { object, offsets, iccids, ...names, ...present({ output: rows }) };
}

/** The pack's output rows, encrypted to the Operator; undefined for an order that wants none. */
async function putOutput(
  { vault }: Context,
  { orderId, order, pack }: PackWork,
  attempt: string,
  output: OutputRows | undefined,
): Promise<ObjectRef | undefined> {
  if (order.outputKey === undefined || output === undefined) return undefined;
  // a replacement beyond the order's own packs is the last one there is
  const packs = Math.max(packCount(order), pack + 1);
  const jwe = encryptRows(order.outputKey, output.octets, { orderId, pack, packs });
  return await vault.put(objectNames.output(orderId, pack, attempt), Buffer.from(jwe, 'latin1'));
}

/** The one write that makes an attempt's PPKs, pack and output rows the pack. */
async function commitPack(
  context: Context,
  { orderId, pack, stateItem }: PackWork,
  written: Attempt,
  record: PackRecord,
): Promise<void> {
  const { ledger, now } = context;
  const writes: Write[] = [
    { put: ledgerKeys.orderPack(orderId, pack), attributes: packRecord.to(record), when: 'absent' },
    { put: ledgerKeys.orderPackMade(orderId, pack), attributes: packMade.to({}), when: 'absent' },
    { check: stateItem, when: { revision: stateItem.revision } },
    written.settled,
  ];
  const { done } = await transactCounted(ledger, writes, () =>
    orderCountWrites(ledger, orderId, { Prepared: record.iccids.length }, now()),
  );
  // another attempt was faster, the order was taken back, or the reaper came: ours counts for nothing, and its keys go
  if (!done) await abandonAttempt(context, written);
}

/** The rows of a pack, and the template made ready for them. */
async function rowsOf(
  context: Context,
  orderId: string,
  order: OrderRecord,
  pack: number,
): Promise<{ rows: readonly Row[]; personaliser: Personaliser }> {
  const { personalisation } = order;
  const { personaliser, index } = await readyOrder(context, orderId, order);
  if (index !== undefined)
    return { rows: await packRows(context, orderId, order, pack, index), personaliser };
  invariant(!('format' in personalisation), `the rows of order ${orderId} were not checked`);
  const extra = pack - packCount(order);
  const first = extra < 0 ? pack * order.packSize : order.quantity + extra;
  const count = extra < 0 ? Math.min(order.packSize, order.quantity - first) : 1;
  const rows = Array.from(
    { length: count },
    (_, i): Row => ({ number: first + i + 1, values: ruleRow(personalisation, first + i) }),
  );
  return { rows, personaliser };
}
