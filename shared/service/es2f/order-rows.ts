import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Bytes } from '../../codec/bytes.ts';
import { completeIccid } from '../../codec/iccid.ts';
import { invariant, Refusal, refuse } from '../../errors.ts';
import { present } from '../../present.ts';
import { NumberRows, type SplitNumber } from '../../profile/rows/number-rows.ts';
import { inRow, type Row, refuseRow } from '../../profile/rows/row.ts';
import {
  closedBlocks,
  type RowBlock,
  type RowFile,
  readRowBlock,
  rowBlocks,
} from '../../profile/rows/row-file.ts';
import { rangeHashesOf } from '../../vault/range-hash.ts';
import type { PersonalisationRows } from '../api/es2f.ts';
import type { Context } from '../context.ts';
import { blockOpener } from '../keys/intake-keys.ts';
import { readChecked, readNewest } from '../life/checked-reads.ts';
import { objectNames } from '../records/object-names.ts';
import { type OrderRecord, type RowIndex, type RowRefusal, rowIndex } from '../records/order.ts';
import { requireNoForeignIccid } from './order-iccids.ts';
import type { Personaliser } from './personalisation.ts';
import { rowTrial } from './row-trial.ts';
import { ONCE, type OnceColumn } from './row-values.ts';

export async function rowFile(
  context: Context,
  orderId: string,
  { format }: PersonalisationRows,
): Promise<RowFile> {
  if (format !== 'jwe') return { format, orderId };
  const openJwe = await blockOpener(context);
  if (openJwe === undefined)
    refuse('functionUnsupported', 'this server has no intake key: rows cannot be encrypted to it');
  return { format, orderId, openJwe };
}

/** The first block, for what must be known before the rest is read. */
export async function firstRowBlock(
  file: RowFile,
  octets: AsyncIterable<Bytes>,
  packSize: number,
): Promise<RowBlock> {
  for await (const block of rowBlocks(file, octets, packSize)) return block;
  return refuse('orderInvalid', 'there are no rows');
}

/**
 * Reads all rows once and keeps none: columns, every value against its file and the order's metadata, ICCID, IMSI and
 * K once in the order, no ICCID of another order, as many rows as profiles. Refuses with row number and column.
 */
export async function checkRows(
  context: Context,
  file: RowFile,
  octets: () => AsyncIterable<Bytes>,
  order: Pick<OrderRecord, 'quantity' | 'packSize'>,
  compile: (columns: readonly string[]) => Personaliser,
): Promise<RowIndex> {
  const { quantity, packSize } = order;
  let tried: ((row: Row) => void) | undefined;
  let columns: readonly string[] = [];
  const offsets: number[] = [];
  const unique = uniqueColumns(quantity);
  const alike = oneAlgorithm();
  let rows = 0;
  for await (const block of rowBlocks(file, octets(), packSize)) {
    if (tried === undefined) {
      columns = block.columns;
      offsets.push(block.start);
      tried = rowTrial(compile(columns), columns);
    }
    rows += block.rows.length;
    if (rows > quantity) refuseTooMany(quantity);
    await checkBlock(context, file.orderId, block.rows, [unique, tried, alike]);
    offsets.push(block.end);
    // a long file must not hold up those who wait for an answer
    await setImmediate();
  }
  if (rows < quantity) refuseTooFew(rows, quantity);
  return { columns, offsets, hashes: await rangeHashesOf(octets(), offsets) };
}

/** What is asked of every row, one question after the other, and then of the block. */
export async function checkBlock(
  context: Context,
  orderId: string,
  rows: readonly Row[],
  checks: readonly ((row: Row) => void)[],
): Promise<void> {
  for (const row of rows) for (const check of checks) check(row);
  await requireNoForeignIccid(context, orderId, rows);
}

/**
 * Reads a file once to find where its blocks are, and keeps no row; those that are encrypted are not opened. What is refused
 * behind the first block waits in the index until the blocks before it are checked, and a block more than the order needs is
 * the last one, which that check refuses.
 */
export async function indexRows(
  file: RowFile,
  octets: () => AsyncIterable<Bytes>,
  { quantity, packSize }: Pick<OrderRecord, 'quantity' | 'packSize'>,
): Promise<RowIndex> {
  const { columns } = await firstRowBlock(file, octets(), packSize);
  const blocks =
    file.format === 'jwe' ? closedBlocks(file, octets(), packSize) : rowBlocks(file, octets(), packSize);
  const offsets: number[] = [];
  let refused: RowRefusal | undefined;
  try {
    for await (const { start, end } of blocks) {
      if (offsets.length === 0) offsets.push(start);
      offsets.push(end);
      if ((offsets.length - 2) * packSize >= quantity) break;
      await setImmediate();
    }
  } catch (error) {
    if (!(error instanceof Refusal) || offsets.length === 0) throw error;
    refused = rowRefusal(error);
  }
  return { columns, offsets, hashes: await rangeHashesOf(octets(), offsets), ...present({ refused }) };
}

/** A refusal as the record of an index or a slice has it. */
export const rowRefusal = ({ code, message, subjectIdentifier }: Refusal): RowRefusal => ({
  code,
  message,
  ...present({ subjectIdentifier }),
});

export const refuseTooMany = (quantity: number) =>
  refuseRow('orderInvalid', quantity + 1, undefined, `the order is for ${quantity} profiles`);

export const refuseTooFew = (rows: number, quantity: number) =>
  refuse('orderInvalid', `there are ${rows} rows, the order is for ${quantity} profiles`);

/** The rows of a pack from the checked file. */
export async function packRows(
  context: Context,
  orderId: string,
  order: OrderRecord,
  pack: number,
  index: RowIndex,
): Promise<readonly Row[]> {
  invariant(order.rows !== undefined, `order ${orderId} has no rows`);
  const file = await rowFile(context, orderId, order.personalisation as PersonalisationRows);
  const octets = await readChecked(context, order.rows, index, pack);
  const place = { block: pack, rowsPerBlock: order.packSize, columns: index.columns };
  return await readRowBlock(file, octets, place);
}

/** The index of rows that were found to be good; undefined before that. */
export async function loadRowIndex(
  context: Context,
  { template }: Pick<OrderRecord, 'template'>,
): Promise<RowIndex | undefined> {
  const name = objectNames.rowIndex(template.name);
  const octets = await readNewest(context, name);
  return octets && rowIndex.fromObject(name, octets);
}

export async function storeRowIndex(
  { vault }: Context,
  { template }: Pick<OrderRecord, 'template'>,
  index: RowIndex,
): Promise<void> {
  await vault.put(objectNames.rowIndex(template.name), rowIndex.toObject(index));
}

/**
 * Refuses a row of another algorithm, or of another length of K, than the first one: what the order asks of eUICCs goes
 * by its first profile, and an eUICC that has not the algorithm would get the others.
 */
export function oneAlgorithm(): (row: Row) => void {
  let first: { readonly algorithm: unknown; readonly length: number } | undefined;
  return ({ number, values }) => {
    const { algorithm, k } = values;
    const own = { algorithm, length: typeof k === 'string' ? k.length : 0 };
    first ??= own;
    const column =
      own.algorithm !== first.algorithm ? 'algorithm' : own.length !== first.length ? 'k' : undefined;
    if (column !== undefined)
      refuseRow(
        'personalisationInvalid',
        number,
        column,
        'makes another algorithm than row 1: order its profiles apart',
      );
  };
}

/** Refuses a row that repeats an ICCID, IMSI or K. Of K only a part of its hash is held. */
function uniqueColumns(quantity: number): (row: Row) => void {
  const seen = new Map<string, NumberRows>();
  return ({ number, values }) => {
    for (const name of ONCE) {
      const value = values[name];
      if (typeof value !== 'string') continue;
      let rows = seen.get(name);
      if (rows === undefined) {
        rows = new NumberRows(quantity);
        seen.set(name, rows);
      }
      const earlier = rows.add(
        inRow(number, () => numberOf(name, value)),
        number,
      );
      if (earlier !== undefined) refuseRepeated(name, number, earlier);
    }
  };
}

export const refuseRepeated = (column: OnceColumn, row: number, earlier: number) =>
  refuseRow(
    column === 'iccid' ? 'iccidInUse' : 'personalisationInvalid',
    row,
    column,
    `is that of row ${earlier}`,
  );

function numberOf(name: OnceColumn, value: string): SplitNumber {
  if (name === 'iccid') return split(completeIccid(value).slice(0, -1));
  // digits of another number than these are refused with the value itself
  if (name === 'imsi' && /^[0-9]{1,15}$/.test(value)) return split(`1${value}`);
  const digest = hash('sha256', `${name} ${value.toLowerCase()}`, 'buffer');
  return { high: digest.readUIntBE(0, 6), low: digest.readUInt32BE(6) };
}

const split = (digits: string): SplitNumber => ({
  high: Number(digits.slice(0, -9)),
  low: Number(digits.slice(-9)),
});
