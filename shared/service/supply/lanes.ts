import { randomUUID } from 'node:crypto';
import { untilDone } from '../../concurrency.ts';
import { changedTooFast } from '../../ledger/change.ts';
import type { ItemKey, Ledger, Write } from '../../ledger/ledger.ts';
import type { Context } from '../context.ts';
import { laneCountWrites } from '../counts/lane-counts.ts';
import { listedWrite } from '../counts/listed.ts';
import { traceOf } from '../life/traces.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import { returnedRecord } from '../records/order.ts';
import { Turns } from '../turns.ts';
import { UndrawnPositions } from './undrawn.ts';

/**
 * Positions laid out for one process, so that those who bind just in time do not meet at the supply of their order. A
 * lane is a list of returned positions (supply/returned.ts) under a name of its own: what is in it is in the supply, and
 * whoever finds nothing else takes it from there. Its process takes a position by writing the list without it, in the
 * transaction that binds it; a call has a lane to itself, so that calls of one process do not meet either.
 *
 * A lane comes with a trace (life/attempts.ts) of the parts that are bound through it. Its reaper takes the lane away
 * first, after which no transaction through it holds, and looks at the parts then (esbpp/just-in-time/lane-closing.ts).
 */
export interface Lane {
  readonly orderId: string;
  readonly id: string;
  /** Of its order. */
  readonly packSize: number;
  readonly key: ItemKey;
  /** What the list has now, and at which revision. */
  readonly positions: readonly number[];
  readonly revision: number;
  /** Profiles that were bound through it. */
  readonly bound: number;
  /** Positions with which an attempt was lost: the name of their part is used up. */
  readonly tried: ReadonlySet<number>;
  readonly settled: Write;
}

/** Positions of a lane: one write of the supply serves so many profiles. */
export const LANE_LENGTH = 24;
/** Lanes that wait for their next call: of one order, and orders that have any. */
const IDLE_LANES = 64;
const IDLE_ORDERS = 1_000;

/** The position that an attempt may take; undefined where the lane has none left for this process. */
export const nextOf = ({ positions, tried }: Lane): number | undefined =>
  positions.find((position) => !tried.has(position));

/** Takes a position of the lane for good, for this job; belongs into the transaction that binds it. */
export function takeWrite({ key, positions, bound, revision }: Lane, position: number, jobId: string): Write {
  const left = positions.filter((one) => one !== position);
  const attributes = returnedRecord.to({ positions: left, lane: { bound: bound + 1, last: jobId } });
  return { put: key, attributes, when: { revision } };
}

/**
 * Takes a lane away that is empty now that this position was taken, with its trace, and counts what was bound through it;
 * none of one that is not. Belongs into the transaction of the last one's mark.
 */
export async function endWrites(
  ledger: Pick<Ledger, 'get'>,
  { orderId, key, positions, bound, revision, settled }: Lane,
  position: number,
  atMs: number,
): Promise<Write[]> {
  if (positions.some((one) => one !== position)) return [];
  const counted = { lane: { bound: bound + 1, last: '' } };
  return [
    settled,
    { remove: key, when: { revision: revision + 1 } },
    ...(await laneCountWrites(ledger, orderId, counted, true, atMs)),
  ];
}

/** The lanes of this process. */
export class Lanes {
  readonly #context: Pick<Context, 'ledger' | 'now'>;
  readonly #idle = new Map<string, Lane[]>();
  readonly #turns = new Turns();

  constructor(context: Pick<Context, 'ledger' | 'now'>) {
    this.#context = context;
  }

  /** One that waits for its next call, which has it to itself until it is given back. */
  idle(orderId: string): Lane | undefined {
    return this.#idle.get(orderId)?.pop();
  }

  /** A new one; undefined where the order has no position left that was never drawn. */
  async lay(orderId: string, packSize: number): Promise<Lane | undefined> {
    return await this.#turns.take(orderId, () =>
      untilDone(() => this.#lay(orderId, packSize), changedTooFast),
    );
  }

  /**
   * Lays one out for the next call where this one has the last position that the process has of the order, so that the
   * next does not wait for it. Never rejects: where it does not succeed the next call lays its own.
   */
  async layNext(lane: Lane, position: number): Promise<void> {
    const { orderId, packSize } = lane;
    const isLast = nextOf({ ...lane, tried: new Set([...lane.tried, position]) }) === undefined;
    if (!isLast || (this.#idle.get(orderId)?.length ?? 0) > 0) return;
    const next = await this.lay(orderId, packSize).catch(() => undefined);
    if (next !== undefined) this.#keep(next);
  }

  async #lay(orderId: string, packSize: number): Promise<{ value: Lane | undefined } | undefined> {
    const { ledger, now } = this.#context;
    const undrawn = await UndrawnPositions.read(ledger, orderId);
    const positions = Array.from({ length: LANE_LENGTH }, () => undrawn?.takeNext()).filter(
      (position) => position !== undefined,
    );
    if (undrawn === undefined || positions.length === 0) return { value: undefined };
    const id = randomUUID();
    const key = ledgerKeys.orderLane(orderId, id);
    const objects = positions.map((position) => objectNames.lanePart(orderId, id, position));
    const { entered, settled } = traceOf('lane', id, { objects, holder: key }, now());
    const { done } = await ledger.transact([
      undrawn.write(),
      { put: key, attributes: returnedRecord.to({ positions }), when: 'absent' },
      entered,
      // the jobs that will be bound through it are listed by it
      listedWrite('job', now(), `lane-${id}`, { name: orderId, positions }),
    ]);
    if (!done) return undefined;
    const lane = {
      orderId,
      id,
      packSize,
      key,
      positions,
      revision: 1,
      bound: 0,
      tried: new Set<number>(),
      settled,
    };
    return { value: lane };
  }

  /** After an attempt that left the lane as it was. */
  unchanged(lane: Lane): void {
    this.#keep(lane);
  }

  /** After an attempt that was lost with this position, and whose part is removed. */
  lost(lane: Lane, position: number): void {
    this.#keep({ ...lane, tried: new Set([...lane.tried, position]) });
  }

  /** After all that follows the commit of this position. */
  taken(lane: Lane, position: number): void {
    const positions = lane.positions.filter((one) => one !== position);
    this.#keep({ ...lane, positions, revision: lane.revision + 1, bound: lane.bound + 1 });
  }

  #keep(lane: Lane): void {
    if (nextOf(lane) === undefined) return;
    const lanes = this.#idle.get(lane.orderId) ?? [];
    this.#idle.delete(lane.orderId);
    this.#idle.set(lane.orderId, lanes);
    // one that is forgotten is found by the reaper, and by whoever draws the last positions
    if (lanes.length < IDLE_LANES) lanes.push(lane);
    if (this.#idle.size > IDLE_ORDERS) this.#idle.delete(this.#idle.keys().next().value!);
  }
}
