import { mapConcurrently } from '../../concurrency.ts';
import type { Item } from '../../ledger/ledger.ts';
import { firstOfSpread } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { dueBy, traceStripes } from '../records/keys.ts';
import { type TraceRecord, traceRecord } from '../records/trace.ts';
import { claimTrace } from './attempts.ts';
import { destroyTraced, isHeld } from './destroy.ts';
import { FORGOTTEN_AT_ONCE, forgetOld } from './history.ts';

/** Traces that a round takes at most; what is left is due at the next one. */
const TOGETHER = 800;
/** Traces at work on at once. */
const AT_ONCE = 8;

export interface Reaped {
  /** Traces whose leavings were destroyed, each of them twice; and how many of those traces are gone now. */
  readonly destroyed: number;
  readonly gone: number;
}

/**
 * Destroys what was left behind, once it is due (I10): what lost attempts wrote, uploads that nobody used, and objects
 * whose use is over; and forgets failures and counts of calls that are old. Any number of reapers may run at once, beside all other work; see attempts.ts.
 */
export class Reaper {
  readonly #context: Context;
  readonly #closeLane: (context: Context, trace: TraceRecord) => Promise<void>;

  /** `closeLane` ends a lane of positions that its process has left: esbpp/just-in-time/lane-closing.ts. */
  constructor(context: Context, closeLane: (context: Context, trace: TraceRecord) => Promise<void>) {
    this.#context = context;
    this.#closeLane = closeLane;
  }

  /**
   * Goes over what is due, some of each partition at a time, as long as there is more and time is left. A trace that fails stops
   * none of those beside it; the first error is thrown at the end of them.
   */
  async round(isTimeLeft: () => boolean = () => false): Promise<Reaped> {
    const all = { destroyed: 0, gone: 0 };
    let isMore: boolean;
    do {
      const some = await this.#some();
      all.destroyed += some.destroyed;
      all.gone += some.gone;
      isMore = some.isMore;
    } while (isMore && isTimeLeft());
    return all;
  }

  async #some(): Promise<Reaped & { readonly isMore: boolean }> {
    const { ledger, now } = this.#context;
    const to = dueBy(now());
    const { items, more } = await firstOfSpread(ledger, traceStripes, TOGETHER, { to });
    const errors: unknown[] = [];
    const outcomes = await mapConcurrently(items, AT_ONCE, (item) =>
      this.#reap(item).catch((error: unknown) => void errors.push(error)),
    );
    const forgotten = await forgetOld(this.#context).catch((error: unknown) => void errors.push(error));
    if (errors.length > 0) throw errors[0];
    const count = (outcome: 'destroyed' | 'gone') => outcomes.filter((one) => one === outcome).length;
    const isMore = more || (forgotten ?? 0) >= FORGOTTEN_AT_ONCE;
    return { destroyed: count('destroyed') + count('gone'), gone: count('gone'), isMore };
  }

  async #reap(item: Item): Promise<'destroyed' | 'gone' | 'held' | 'settled'> {
    const { ledger, now } = this.#context;
    const trace = traceRecord.from(item);
    // the parts of a lane count or not each by itself
    const destroy = trace.kind === 'lane' ? this.#closeLane : destroyTraced;
    if (trace.claimed) {
      await destroy(this.#context, trace);
      await ledger.write({ remove: item, when: { revision: item.revision } });
      return 'gone';
    }
    if (await isHeld(this.#context, trace)) {
      await ledger.write({ remove: item, when: { revision: item.revision } });
      return 'held';
    }
    const claimed = await claimTrace(ledger, item, now());
    if (claimed === undefined) return 'settled';
    await destroy(this.#context, trace);
    return 'destroyed';
  }
}
