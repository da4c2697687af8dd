import type { Context } from '../context.ts';
import { SharedTurns } from '../turns.ts';
import { type Lane, nextOf } from './lane.ts';
import { type Layout, layLanes } from './lane-laying.ts';

/** Lanes that wait for their next call: of a device manufacturer in one order, and such pairs that have any. */
const IDLE_LANES = 64;
const IDLE_PAIRS = 1_000;

/** The lanes of this process. */
export class Lanes {
  readonly #context: Pick<Context, 'ledger' | 'now'>;
  readonly #idle = new Map<string, Lane[]>();
  readonly #turns = new SharedTurns<Lane>();

  constructor(context: Pick<Context, 'ledger' | 'now'>) {
    this.#context = context;
  }

  /** One that waits for its next call, which has it to itself until it is given back. */
  idle(orderId: string, maker: string): Lane | undefined {
    return this.#idle.get(pairOf(orderId, maker))?.pop();
  }

  /** A new one; undefined where order or share has nothing left that was never drawn. All who wait for one are served together. */
  async lay(layout: Layout): Promise<Lane | undefined> {
    const pair = pairOf(layout.orderId, layout.sharer.maker);
    return await this.#turns.take(pair, (waiting) => layLanes(this.#context, layout, waiting));
  }

  /**
   * Lays one out for the next call where this one has the last position that the process has for its maker, so that the
   * next does not wait for it. Never rejects: where it does not succeed the next call lays its own.
   */
  async layNext(lane: Lane, position: number): Promise<void> {
    const isLast = nextOf({ ...lane, tried: new Set([...lane.tried, position]) }) === undefined;
    if (!isLast || (this.#idle.get(pairOf(lane.orderId, lane.sharer.maker))?.length ?? 0) > 0) return;
    const next = await this.lay(lane).catch(() => undefined);
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
    const pair = pairOf(lane.orderId, lane.sharer.maker);
    const lanes = this.#idle.get(pair) ?? [];
    this.#idle.delete(pair);
    this.#idle.set(pair, lanes);
    // one that is forgotten is found by the reaper, and by whoever draws the last positions
    if (lanes.length < IDLE_LANES) lanes.push(lane);
    if (this.#idle.size > IDLE_PAIRS) this.#idle.delete(this.#idle.keys().next().value!);
  }
}

/** An order, and whose calls are served. */
const pairOf = (orderId: string, maker: string) => JSON.stringify([orderId, maker]);
