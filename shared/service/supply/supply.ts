import type { Write } from '../../ledger/ledger.ts';
import type { Context } from '../context.ts';
import { ReturnedPositions } from './returned.ts';
import { openShare, type Sharer } from './shares.ts';
import { readTies, type Tie } from './ties.ts';
import { UndrawnPositions } from './undrawn.ts';

/**
 * The supply of an order: which positions are still to be drawn. A draw is planned on what was read and takes effect
 * as conditional writes in the transaction that creates the job, so two jobs never get the same position. Positions
 * that refused items gave back go first.
 */
export interface Draw {
  readonly runs: readonly (readonly [index: number, from: number, count: number])[];
  readonly writes: readonly Write[];
}

/** Replacements that one draw takes at most. */
const TIES_PER_DRAW = 20;

/** Who draws: a position kept for one eUICC is for its own items, and a maker may have a share. */
export interface Drawer extends Sharer {
  /** EID of the item with this index. */
  eidOf(index: number): string;
}

/** By index of the item: a certain position, or any. */
type Wishes = readonly (number | undefined)[];

/**
 * One wish per item. An item of an eUICC for which a replacement is kept gets that one, whatever the share; then those
 * that wish a certain position are served, then all others.
 */
export async function planDraw(
  { ledger }: Pick<Context, 'ledger'>,
  orderId: string,
  wishes: Wishes,
  drawer?: Drawer,
): Promise<Draw> {
  const undrawn = await UndrawnPositions.read(ledger, orderId);
  if (undrawn === undefined) return { runs: [], writes: [] };
  const sharer = drawer?.share === undefined ? undefined : drawer.maker;
  const returned = await ReturnedPositions.readForDraw(ledger, orderId, sharer);
  const ties = await readTies(ledger, orderId);
  const kept = drawer === undefined ? NONE_KEPT : drawKept(ownTies(ties, wishes, drawer, returned), returned);
  const share = await openShare(ledger, orderId, drawer);
  const { chosen, counted } = drawFree(wishes, { undrawn, returned, ties, kept, atMost: share.left });
  return {
    runs: toRuns(chosen),
    writes: [undrawn.write(), ...kept.writes, ...share.writes(counted), ...returned.writes()],
  };
}

/**
 * The position of each item, by index, or NONE: a request within a call has as many as 130,000, for which a Map would take twenty
 * times the octets.
 */
export type Chosen = Float64Array;
export const NONE = -1;

/** What a draw takes of the positions that are kept for its own eUICCs. */
interface KeptDraw {
  readonly chosen: ReadonlyMap<number, number>;
  /** Items that have a kept position and get no other, also where there were too many for one draw. */
  readonly items: ReadonlySet<number>;
  readonly writes: readonly Write[];
}

const NONE_KEPT: KeptDraw = { chosen: new Map(), items: new Set(), writes: [] };

function drawKept(own: ReadonlyMap<number, Tie>, returned: ReturnedPositions): KeptDraw {
  const taken = [...own].slice(0, TIES_PER_DRAW);
  const writes: Write[] = [];
  for (const [, tie] of taken) {
    if (tie.drawn) returned.take(tie.position);
    else writes.push(tie.drawnWrite());
  }
  const chosen = new Map(taken.map(([index, { position }]) => [index, position]));
  return { chosen, items: new Set(own.keys()), writes };
}

/**
 * The position of each item: of those that get none of the `kept` ones, one that is kept for nobody; and how many of these are
 * counted against the drawer's share. What lies in lanes of that share is counted already, and drawn last.
 */
function drawFree(
  wishes: Wishes,
  from: {
    readonly undrawn: UndrawnPositions;
    readonly returned: ReturnedPositions;
    readonly ties: readonly Tie[];
    readonly kept: KeptDraw;
    readonly atMost: number;
  },
): { readonly chosen: Chosen; readonly counted: number } {
  const { undrawn, returned, ties, kept, atMost } = from;
  const isFree = (position: number) => !ties.some((tie) => tie.position === position);
  const chosen: Chosen = new Float64Array(wishes.length).fill(NONE);
  for (const [index, position] of kept.chosen) chosen[index] = position;
  let counted = 0;
  const count = <T>(draw: () => T | undefined): T | undefined => {
    const drawn = counted < atMost ? draw() : undefined;
    if (drawn !== undefined) counted += 1;
    return drawn;
  };
  for (let index = 0; index < wishes.length; index++) {
    const wish = wishes[index];
    if (wish === undefined || kept.items.has(index) || !isFree(wish)) continue;
    const isWished = (position: number) => position === wish;
    const position =
      returned.takeFromOwnShare(isWished) ??
      count(() => (returned.take(wish) || undrawn.take(wish) ? wish : undefined));
    if (position !== undefined) chosen[index] = position;
  }
  const drawAny = () => returned.takeAny(isFree) ?? undrawn.takeNext();
  const drawFromLanes = () => returned.takeFromLanes(isFree);
  for (let index = 0; index < wishes.length; index++) {
    if (wishes[index] !== undefined || kept.items.has(index)) continue;
    const position = count(drawAny) ?? returned.takeFromOwnShare(isFree) ?? count(drawFromLanes);
    if (position === undefined) break;
    chosen[index] = position;
  }
  return { chosen, counted };
}

/** The kept position of each item whose eUICC has one that is to be had, by index. */
function ownTies(
  ties: readonly Tie[],
  wishes: Wishes,
  { eidOf }: Drawer,
  returned: ReturnedPositions,
): ReadonlyMap<number, Tie> {
  const chosen = new Map<number, Tie>();
  const left = ties.filter((tie) => isToBeHad(tie, returned));
  for (let index = 0; index < wishes.length && left.length > 0; index++) {
    const wish = wishes[index];
    const own = eidOf(index);
    const at = left.findIndex(
      ({ eid, position }) => eid === own && (wish === undefined || wish === position),
    );
    if (at >= 0) chosen.set(index, left.splice(at, 1)[0]!);
  }
  return chosen;
}

const isToBeHad = ({ drawn, position }: Tie, returned: ReturnedPositions) => !drawn || returned.has(position);

/** EIDs for which the order keeps a position that their next request gets. */
export async function eidsWithKept(
  { ledger }: Pick<Context, 'ledger'>,
  orderId: string,
): Promise<ReadonlySet<string>> {
  const ties = await readTies(ledger, orderId);
  if (ties.length === 0) return new Set();
  const returned = await ReturnedPositions.read(ledger, orderId);
  return new Set(ties.filter((tie) => isToBeHad(tie, returned)).map(({ eid }) => eid));
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

/** As runs of (index, from, count); the first one chosen has the index `first`. */
export function toRuns(chosen: Chosen, first = 0): [number, number, number][] {
  const runs: [number, number, number][] = [];
  for (let i = 0; i < chosen.length; i++) {
    const index = first + i;
    const position = chosen[i]!;
    if (position === NONE) continue;
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[2] === index && last[1] + last[2] === position) last[2] += 1;
    else runs.push([index, position, 1]);
  }
  return runs;
}
