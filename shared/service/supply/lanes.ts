import type { Context } from '../context.ts';
import { SharedTurns } from '../turns.ts';
import { type Lane, nextOf } from './lane.ts';
import { layLanes } from './lane-laying.ts';

/** Lanes that wait for their next call: of one order, and orders that have any. */
const IDLE_LANES = 64;
const IDLE_ORDERS = 1_000;

/** The lanes of this process. */
export class Lanes {
  readonly #context: Pick<Context, 'ledger' | 'now'>;
  readonly #idle = new Map<string, Lane[]>();
  readonly #turns = new SharedTurns<Lane>();

  constructor(context: Pick<Context, 'ledger' | 'now'>) {
    this.#context = context;
  }

  /** One that waits for its next call, which has it to itself until it is given back. */
  idle(orderId: string): Lane | undefined {
    return this.#idle.get(orderId)?.pop();
  }

  /** A new one; undefined where the order has no position left that was never drawn. All who wait for one are served together. */
  async lay(orderId: string, packSize: number): Promise<Lane | undefined> {
    return await this.#turns.take(orderId, (waiting) => layLanes(this.#context, orderId, packSize, waiting));
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
