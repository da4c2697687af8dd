import { setImmediate } from 'node:timers/promises';
import { invariant, Refusal } from '../../errors.ts';
import { removeItem } from '../../ledger/change.ts';
import { present } from '../../present.ts';
import { NumberRows } from '../../profile/rows/number-rows.ts';
import { checkMembers, type Row } from '../../profile/rows/row.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type OrderRecord, type RowIndex, type RowRefusal, rowSliceCount } from '../records/order.ts';
import { loadOrder, loadOrderState } from '../supply/own-order.ts';
import { runClosing } from './order-closing.ts';
import { firstWork, goOnWith, rejectOrder } from './order-preparation.ts';
import {
  checkBlock,
  loadRowIndex,
  oneAlgorithm,
  packRows,
  refuseRepeated,
  refuseTooFew,
  refuseTooMany,
  rowRefusal,
} from './order-rows.ts';
import type { Personaliser } from './personalisation.ts';
import { readyOrder } from './ready-order.ts';
import { destroyRowSlices, isSliceOpen, storedSlices, storeSlice } from './row-slice-store.ts';
import { rowTrial } from './row-trial.ts';
import { ONCE, type Repeated, RowValues, repeatedIn, valueSecret } from './row-values.ts';

/*
 * The rows of a large order are checked slice by slice, each a task that stands by itself and may be repeated: what came of it
 * is an item of the ledger. Once all are there, values of different slices are held against each other. What rejects the order
 * is what checkRows would have met first, whichever slice was checked first: within a slice the values that were read before
 * something was refused are those that it kept.
 */

/** Checks one slice; the first answer is as good as any other, since a repeat finds the same. */
export async function checkRowSlice(context: Context, orderId: string, slice: number): Promise<void> {
  if (!(await isSliceOpen(context, orderId, slice))) return;
  const order = await loadOrder(context, orderId);
  try {
    await checkSlice(context, orderId, order, slice);
  } catch (error) {
    // of a template that this release takes no more: what a row is refused for is the slice's answer
    if (!(error instanceof Refusal)) throw error;
    await rejectOrder(context, orderId, error);
  }
}

async function checkSlice(
  context: Context,
  orderId: string,
  order: OrderRecord,
  slice: number,
): Promise<void> {
  const { index, personaliser } = await readyOrder(context, orderId, order);
  invariant(index?.sliceBlocks !== undefined, `the rows of order ${orderId} have no slices`);
  const first = slice * index.sliceBlocks;
  const end = Math.min(first + index.sliceBlocks, blocksOf(index));
  const secret = await valueSecret(context, orderId, order);
  const values = new RowValues(secret, index.columns, (end - first) * order.packSize);
  const work = { orderId, order, index, personaliser, values, first, end };
  const refused = await refusalOf(() => checkBlocks(context, work));
  const firstRow = first * order.packSize + 1;
  await storeSlice(context, orderId, slice, {
    firstRow,
    values: values.encrypted(),
    ...present({ refused }),
  });
}

const blocksOf = ({ offsets }: RowIndex) => offsets.length - 1;

interface SliceWork {
  readonly orderId: string;
  readonly order: OrderRecord;
  readonly index: RowIndex;
  readonly personaliser: Personaliser;
  readonly values: RowValues;
  /** Blocks from `first` up to `end`. */
  readonly first: number;
  readonly end: number;
}

/** In the order of `checkRows`: what is wrong with a block, with a row, with the block as a whole, and behind the last one. */
async function checkBlocks(context: Context, work: SliceWork): Promise<void> {
  const { orderId, order, index, personaliser, values, first, end } = work;
  const { quantity, packSize } = order;
  const read = (block: number) => packRows(context, orderId, order, block, index);
  const alike = oneAlgorithm();
  // what an order asks of eUICCs goes by its first row, wherever the slice is
  if (first > 0 && ['algorithm', 'k'].some((name) => index.columns.includes(name)))
    for (const row of (await read(0)).slice(0, 1)) alike(row);
  const take = (row: Row) => values.add(row);
  const checks = [take, rowTrial(personaliser, index.columns), alike];
  let rows = first * packSize;
  for (let block = first; block < end; block++) {
    const found = await read(block);
    for (const row of found) checkMembers(row, index.columns);
    rows += found.length;
    if (rows > quantity) refuseTooMany(quantity);
    await checkBlock(context, orderId, found, checks);
    // a long slice must not hold up those who wait for an answer
    await setImmediate();
  }
  if (end < blocksOf(index)) return;
  if (index.refused !== undefined) throw refusalFrom(index.refused);
  if (rows < quantity) refuseTooFew(rows, quantity);
}

async function refusalOf(work: () => void | Promise<void>): Promise<RowRefusal | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return rowRefusal(error);
  }
}

const refusalFrom = ({ code, message, subjectIdentifier }: RowRefusal) =>
  new Refusal(code, message, present({ subjectIdentifier }));

/** Rows that are good become packs, bad ones reject the order; may be repeated. */
export async function finishRowSlices(context: Context, orderId: string): Promise<boolean> {
  const { ledger } = context;
  const open = await ledger.get(ledgerKeys.openWork('rowSlices', orderId));
  const order = await loadOrder(context, orderId);
  const { state } = (await loadOrderState(context, orderId)).record;
  if (open === undefined || state !== 'Preparing') {
    if (state !== 'Preparing') await destroyRowSlices(context, orderId, order);
    if (open !== undefined) await removeItem(ledger, open);
    await runClosing(context, orderId);
    return true;
  }
  const index = await loadRowIndex(context, order);
  invariant(index !== undefined, `the rows of order ${orderId} were not found`);
  const bad = await firstRefusal(context, orderId, order, index);
  if (bad === 'missing') return false;
  if (bad === undefined) await goOnWith(context, open, firstWork(orderId, order, true), order);
  else {
    await rejectOrder(context, orderId, refusalFrom(bad));
    await runClosing(context, orderId);
  }
  return true;
}

/** Values that are held against each other at once: 67 MB of memory, however large the order is. */
const VALUES_AT_ONCE = 2_750_000;

/** What the whole file is refused for: a value that an earlier row has, or else what ended the last slice. */
async function firstRefusal(
  context: Context,
  orderId: string,
  { quantity }: OrderRecord,
  index: RowIndex,
): Promise<RowRefusal | 'missing' | undefined> {
  const columns = ONCE.filter((name) => index.columns.includes(name)).length;
  const shares = Math.max(1, Math.ceil((quantity * columns) / VALUES_AT_ONCE));
  let repeated: Repeated | undefined;
  let refused: RowRefusal | undefined;
  for (let share = 0; share < shares; share++) {
    const seen = new NumberRows(Math.min(VALUES_AT_ONCE, quantity * columns));
    let slices = 0;
    for await (const slice of storedSlices(context, orderId, index)) {
      slices += 1;
      if (share === 0) refused = slice.refused;
      if (repeated !== undefined && slice.firstRow > repeated.row) break;
      const found = repeatedIn(slice, seen, [share, shares]);
      if (found !== undefined && comesFirst(found, repeated)) repeated = found;
      // what is behind it in its slice is not looked at, and need not be
      if (found !== undefined) break;
      await setImmediate();
    }
    if (repeated === undefined && refused === undefined && slices < rowSliceCount(index)) return 'missing';
  }
  if (repeated === undefined) return refused;
  const { column, row, earlier } = repeated;
  return await refusalOf(() => refuseRepeated(column, row, earlier));
}

/** Of one row the column that is asked first. */
const comesFirst = (one: Repeated, other: Repeated | undefined): boolean =>
  other === undefined ||
  one.row < other.row ||
  (one.row === other.row && ONCE.indexOf(one.column) < ONCE.indexOf(other.column));
