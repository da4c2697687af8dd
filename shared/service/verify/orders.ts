import { Fault } from '../../errors.ts';
import { scanAll } from '../../ledger/scan.ts';
import { DamagedObject } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { blockOf, ledgerKeys, orderPartition, REPLACEMENT } from '../records/keys.ts';
import { recordedOrders } from '../records/locked-records.ts';
import {
  type OrderRecord,
  orderRecord,
  orderStateRecord,
  type PackRecord,
  packRecord,
  replacementRecord,
} from '../records/order.ts';
import { availableOf, endOf, heldElsewhere, placesOf } from '../restore/places.ts';
import { type BlockView, viewBlock } from '../supply/draws.ts';
import { checkEach, type Finding, inLedger, type Slice } from './finding.ts';

/** Positions that one finding names. */
const NAMED = 20;

/** Packs of one slice: an order of ten million profiles takes longer than a Lambda has. */
const PACKS = 100;

/**
 * Every open order: where each of its positions is, and that PPKs are there exactly of those that are not bound. The cursor
 * is an order that is done, or with the number of a pack behind a line end, which no orderId has, how far it is.
 */
export async function* verifyOrders(context: Context, after: string): AsyncGenerator<Slice> {
  const [begun, pack] = after.split('\n');
  for await (const orderId of recordedOrders(context.vault)) {
    if (orderId < begun! || (orderId === begun && pack === undefined)) continue;
    yield* verifyOrder(context, orderId, orderId === begun ? Number(pack) : 0);
  }
}

async function* verifyOrder(context: Context, orderId: string, from: number): AsyncGenerator<Slice> {
  for (let first = from, isLast = false; !isLast; first += PACKS) {
    const end = first + PACKS;
    const check = async () => {
      const checked = await checkOrder(context, orderId, first, end);
      isLast = checked.isLast;
      return checked.findings;
    };
    // of a record that cannot be read nothing more is known
    isLast = true;
    const findings = await checkEach([orderId], check, (id) => inLedger(ledgerKeys.order(id), ''));
    yield { findings, looked: isLast ? 1 : 0, cursor: isLast ? orderId : `${orderId}\n${end}` };
  }
}

/** The packs from `first` up to `end`, and with the last of them what is one for the whole order. */
async function checkOrder(
  context: Context,
  orderId: string,
  first: number,
  end: number,
): Promise<{ readonly findings: readonly Finding[]; readonly isLast: boolean }> {
  const { ledger } = context;
  const [item, stateItem] = await ledger.getMany([ledgerKeys.order(orderId), ledgerKeys.orderState(orderId)]);
  if (item === undefined || stateItem === undefined) {
    const problem = 'a locked record tells of this order, and the ledger does not know it';
    return { findings: [inLedger(ledgerKeys.order(orderId), problem)], isLast: true };
  }
  const { state } = orderStateRecord.from(stateItem);
  const order = orderRecord.from(item);
  if (state === 'Rejected' || state === 'Preparing') return { findings: [], isLast: true };
  const isOpen = state === 'Open';
  const packs = (await endOf(context, orderId, order)) / order.packSize;
  const isLast = packs <= end;
  const findings = await checkPacks(context, orderId, order, isOpen, first, Math.min(packs, end));
  if (isLast && isOpen) findings.push(...(await checkSupply(context, orderId, order)));
  return { findings, isLast };
}

/** No position is drawn twice, none is to be drawn that somebody has, and none is nowhere. */
async function checkSupply(context: Context, orderId: string, order: OrderRecord): Promise<Finding[]> {
  const { used, twice } = await placesOf(context, orderId, order);
  const available = await availableOf(context, orderId, order);
  const held = await heldElsewhere(context, orderId, order);
  const key = ledgerKeys.orderSupply(orderId);
  return [
    ...named(twice, (list) => inLedger(key, `positions ${list} are in two draws at once`)),
    ...named(
      used.where((position) => available.has(position)),
      (list) => inLedger(key, `positions ${list} are drawn, and may be drawn again`),
    ),
    ...named(
      range(
        order.quantity,
        (position) => !used.has(position) && !available.has(position) && !held.has(position),
      ),
      (list) => inLedger(key, `positions ${list} are in no draw, and cannot be drawn`),
    ),
  ];
}

function* range(end: number, fits: (position: number) => boolean): Generator<number> {
  for (let position = 0; position < end; position++) if (fits(position)) yield position;
}

function named(positions: Iterable<number>, finding: (list: string) => Finding): Finding[] {
  const all = [...positions];
  return all.length === 0 ? [] : [finding(listed(all))];
}

function listed(numbers: readonly number[]): string {
  const more = numbers.length - NAMED;
  return `${numbers.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Each pack from `first` up to `end` that an order must have, with its PPKs; blocks of positions are read one after the other. */
async function checkPacks(
  context: Context,
  orderId: string,
  order: OrderRecord,
  isOpen: boolean,
  first: number,
  end: number,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  let view: { readonly block: number; readonly read: BlockView } | undefined;
  const viewOf = async (position: number) => {
    const block = blockOf(position);
    if (view?.block !== block) view = { block, read: await viewBlock(context, orderId, block) };
    return view.read;
  };
  for (let pack = first; pack < end; pack++) {
    const item = await context.ledger.get(ledgerKeys.orderPack(orderId, pack));
    if (item !== undefined) {
      findings.push(
        ...(await checkPpks(context, orderId, packRecord.from(item), pack * order.packSize, isOpen, viewOf)),
      );
    } else if (isOpen && !(await isPromised(context, orderId, order, pack)))
      findings.push(inLedger(ledgerKeys.orderPack(orderId, pack), 'a pack of an open order is missing'));
  }
  return findings;
}

/**
 * Whether the pack is that of a replacement that was set aside and is not made yet: the call that sets it aside makes it too,
 * and where it ended in between the Operator's repeat does (es2f/order-replacement.ts).
 */
async function isPromised(
  { ledger }: Context,
  orderId: string,
  { packSize }: OrderRecord,
  pack: number,
): Promise<boolean> {
  if ((await ledger.get(ledgerKeys.orderPackMade(orderId, pack))) !== undefined) return false;
  const replacements = await scanAll(ledger, orderPartition(orderId), { prefix: REPLACEMENT });
  return replacements.some((item) => replacementRecord.from(item).position === pack * packSize);
}

/** As `checkPpksOf`; keys that cannot be read are named by their pack. */
async function checkPpks(
  context: Context,
  orderId: string,
  record: PackRecord,
  ...more: [first: number, isOpen: boolean, viewOf: (position: number) => Promise<BlockView>]
): Promise<Finding[]> {
  try {
    return await checkPpksOf(context, orderId, record, ...more);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'vault' || error.retryable) throw error;
    const name = error instanceof DamagedObject ? error.object : record.ppks;
    return [{ where: 'PPK vault', name, problem: `the keys cannot be read: ${error.message}` }];
  }
}

async function checkPpksOf(
  { ppks }: Context,
  orderId: string,
  { ppks: pack, dataKey, iccids }: PackRecord,
  first: number,
  isOpen: boolean,
  viewOf: (position: number) => Promise<BlockView>,
): Promise<Finding[]> {
  const entries = await ppks.entries(
    pack,
    iccids.map((_, place) => place),
  );
  const key = await ppks.header(dataKey);
  const spent: number[] = [];
  const lost: number[] = [];
  for (const [place, entry] of entries.entries()) {
    const { bound, records } = await viewOf(first + place);
    const isBound = bound.get(first + place)?.finished;
    const isClosed = records.get(first + place)?.state === 'Closed';
    if (entry !== undefined && key !== undefined && isBound) spent.push(place);
    // a position whose chunk is not finished may have either
    if ((entry === undefined || key === undefined) && isOpen && !isClosed && !bound.has(first + place))
      lost.push(place);
  }
  const findings: Finding[] = [];
  if (spent.length > 0)
    findings.push({
      where: 'PPK vault',
      name: pack,
      problem: `PPKs ${listed(spent)} had to be destroyed when their profiles were bound, and are there`,
      repair: { destroyPpks: { pack, places: spent } },
    });
  if (lost.length > 0)
    findings.push({
      where: 'PPK vault',
      name: key === undefined ? dataKey : pack,
      problem: `PPKs ${listed(lost)} are gone, though nobody has their profiles`,
      repair: { closeLost: orderId },
    });
  return findings;
}
