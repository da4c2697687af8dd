import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type SupplyRecord, supplyRecord } from '../records/order.ts';
import { openShare } from './shares.ts';
import { readTies, type Tie } from './ties.ts';

/**
 * The supply of an order: which positions are still to be drawn. A draw is planned on what was read and takes effect
 * as conditional writes in the transaction that creates the job, so two jobs never get the same position. Positions
 * that refused items gave back go first.
 */
export interface Draw {
  readonly runs: readonly (readonly [index: number, from: number, count: number])[];
  readonly writes: readonly Write[];
}

/** Short returned lists that are left side by side; more of them are joined, so that a draw can see them all. */
const SHORT_LISTS = 40;
/** Positions of a list that is no longer short. Joined lists stay far below the size of a ledger item. */
const LONG = 500;
/** Returned lists that one draw changes at most: a transaction is bounded. */
const CHANGED_LISTS = 60;
/** Replacements that one draw takes at most. */
const TIES_PER_DRAW = 20;

/** Who draws: a position kept for one eUICC is for its own items, and a maker may have a share. */
export interface Drawer {
  readonly maker: string;
  /** Profiles of the order that the maker may have at most. */
  readonly share: number | undefined;
  /** EID of each item, by index. */
  readonly eids: readonly string[];
}

/**
 * One wish per item, by index: a certain position, or any. An item of an eUICC for which a replacement is kept gets
 * that one, whatever the share.
 */
export async function planDraw(
  { ledger }: Context,
  orderId: string,
  wishes: readonly (number | undefined)[],
  drawer?: Drawer,
): Promise<Draw> {
  const supplyItem = await ledger.get(ledgerKeys.orderSupply(orderId));
  if (supplyItem === undefined) return { runs: [], writes: [] };
  const supply = supplyRecord.from(supplyItem);
  const returned = await returnedLists(ledger, orderId);

  const pool = new Map<Item, number[]>(returned.map((item) => [item, [...positionsOf(item)]]));
  const lists = [...pool.values()];
  const changed = new Set<number[]>();
  const takeFrom = (fits: (positions: number[]) => boolean, place: (positions: number[]) => number) => {
    const list = (changed.size < CHANGED_LISTS ? lists : [...changed]).find(fits);
    if (list === undefined) return undefined;
    changed.add(list);
    return list.splice(place(list), 1)[0];
  };
  const chosen = new Map<number, number>();
  let { next, taken } = supply;

  const ties = await readTies(ledger, orderId);
  const isFree = (position: number) => !ties.some((tie) => tie.position === position);
  const isBack = ({ position }: Tie) => lists.some((positions) => positions.includes(position));
  const tieWrites: Write[] = [];
  const tied = new Set<number>();
  for (const [index, tie] of drawer === undefined ? [] : ownTies(ties, wishes, drawer.eids, isBack)) {
    tied.add(index);
    if (tied.size > TIES_PER_DRAW) continue;
    if (tie.drawn)
      takeFrom(
        (positions) => positions.includes(tie.position),
        (positions) => positions.indexOf(tie.position),
      );
    else tieWrites.push(tie.drawnWrite());
    chosen.set(index, tie.position);
  }
  const fromTies = chosen.size;
  const share = await openShare(ledger, orderId, drawer);
  const isOpen = (index: number) => !tied.has(index) && chosen.size - fromTies < share.left;

  for (const [index, wish] of wishes.entries()) {
    if (wish === undefined || !isOpen(index) || !isFree(wish)) continue;
    const back = takeFrom(
      (positions) => positions.includes(wish),
      (positions) => positions.indexOf(wish),
    );
    if (back !== undefined) chosen.set(index, back);
    else if (wish >= next && wish < supply.end && !isTaken(taken, wish)) {
      taken = takeOne(taken, wish);
      chosen.set(index, wish);
    }
  }
  for (const [index, wish] of wishes.entries()) {
    if (wish !== undefined || !isOpen(index)) continue;
    const back = takeFrom(
      (positions) => positions.some(isFree),
      (positions) => positions.findIndex(isFree),
    );
    if (back !== undefined) {
      chosen.set(index, back);
      continue;
    }
    while (taken[0] !== undefined && taken[0][0] <= next) {
      next = Math.max(next, taken[0][1]);
      taken = taken.slice(1);
    }
    if (next >= supply.end) break;
    chosen.set(index, next++);
  }

  const writes: Write[] = [
    {
      put: supplyItem,
      attributes: supplyRecord.to({ next, end: supply.end, taken } satisfies SupplyRecord),
      when: { revision: supplyItem.revision },
    },
    ...tieWrites,
    ...share.writes(chosen.size - fromTies),
  ];
  for (const [item, rest] of pool) {
    if (rest.length === positionsOf(item).length) continue;
    const when = { revision: item.revision };
    writes.push(
      rest.length === 0 ? { remove: item, when } : { put: item, attributes: { positions: rest }, when },
    );
  }
  return { runs: toRuns(chosen), writes };
}

/** The kept position of each item whose eUICC has one that is to be had, by index. */
function ownTies(
  ties: readonly Tie[],
  wishes: readonly (number | undefined)[],
  eids: readonly string[],
  isBack: (tie: Tie) => boolean,
): ReadonlyMap<number, Tie> {
  const chosen = new Map<number, Tie>();
  if (ties.length === 0) return chosen;
  const left = ties.filter((tie) => !tie.drawn || isBack(tie));
  for (const [index, wish] of wishes.entries()) {
    const at = left.findIndex(
      ({ eid, position }) => eid === eids[index] && (wish === undefined || wish === position),
    );
    if (at >= 0) chosen.set(index, left.splice(at, 1)[0]!);
  }
  return chosen;
}

/** Takes one position out of the supply for good; undefined if it was drawn already. */
export async function planRemoval(
  context: Context,
  orderId: string,
  position: number,
): Promise<readonly Write[] | undefined> {
  const draw = await planDraw(context, orderId, [position]);
  return draw.runs.length === 0 ? undefined : draw.writes;
}

/** What refused items gave back: a list for each chunk, many short ones joined into one. */
async function returnedLists(ledger: Ledger, orderId: string): Promise<readonly Item[]> {
  for (;;) {
    const lists = await scanAll(ledger, `order#${orderId}`, { prefix: 'returned#' });
    const short = lists.filter((item) => positionsOf(item).length < LONG);
    if (short.length <= SHORT_LISTS) return lists;
    const [first, ...others] = short.slice(0, SHORT_LISTS) as [Item, ...Item[]];
    const positions = [first, ...others].flatMap(positionsOf);
    await ledger.transact([
      { put: first, attributes: { positions }, when: { revision: first.revision } },
      ...others.map((item): Write => ({ remove: item, when: { revision: item.revision } })),
    ]);
  }
}

const positionsOf = (item: Item) => item.attributes.positions as number[];

const isTaken = (taken: SupplyRecord['taken'], position: number) =>
  taken.some(([from, to]) => position >= from && position < to);

/** Adds one position to ascending half-open runs, joining neighbours. */
function takeOne(taken: SupplyRecord['taken'], position: number): SupplyRecord['taken'] {
  const runs = [...taken, [position, position + 1] as const].sort((a, b) => a[0] - b[0]);
  const joined: (readonly [number, number])[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (last !== undefined && last[1] === run[0]) joined[joined.length - 1] = [last[0], run[1]];
    else joined.push(run);
  }
  return joined;
}

function toRuns(chosen: ReadonlyMap<number, number>): [number, number, number][] {
  const runs: [number, number, number][] = [];
  for (const [index, position] of [...chosen].sort((a, b) => a[0] - b[0])) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[2] === index && last[1] + last[2] === position) last[2] += 1;
    else runs.push([index, position, 1]);
  }
  return runs;
}
