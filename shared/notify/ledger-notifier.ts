import { mapConcurrently } from '../concurrency.ts';
import { messageOf, type OwnText } from '../events/error-record.ts';
import type { Item, Ledger } from '../ledger/ledger.ts';
import { scanSpread } from '../ledger/scan.ts';
import { noticeStripes, subjectOfNotice } from '../service/records/keys.ts';
import { noticeRecord } from '../service/records/notice.ts';
import { attempt, type Outcome } from './attempt.ts';
import { callsOf } from './calls.ts';
import type { Courier, Notifier } from './notifier.ts';
import type { Schedule } from './schedule.ts';

export interface LedgerNotifierOptions {
  readonly ledger: Ledger;
  readonly courier: Courier;
  readonly now: () => number;
  /** Told of a notice that was not taken and will be posted again; by its name. */
  readonly onDelayed?: (name: string, attempts: number, reason: OwnText) => void;
  /** Told of a notice that was given up after all attempts; it stays in the ledger. */
  readonly onParked: (name: string, url: string, reason: OwnText) => void;
  /** Told why no notice can be carried for now: the ledger is out of reach, or a key that signs. */
  readonly onTrouble?: (message: OwnText) => void;
  readonly schedule?: Schedule;
  /** Milliseconds between looks for notices that nobody woke us for. */
  readonly pollMs?: number;
}

/** Calls that are under way at once. */
const AT_ONCE = 8;

/**
 * The embedded notifier: notices wait in the ledger, are posted, tried again with growing pauses, and parked where an
 * operator can see them when all attempts are spent.
 */
export class LedgerNotifier implements Notifier {
  readonly #options: LedgerNotifierOptions;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(options: LedgerNotifierOptions) {
    this.#options = options;
  }

  wake(): void {
    if (this.#closed) return;
    if (this.#round !== undefined) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#round = this.#deliverDue()
      // for now: the next look comes by itself
      .catch((error: unknown) => {
        this.#options.onTrouble?.(messageOf(error));
        return this.#options.pollMs ?? 5_000;
      })
      .then((pause) => {
        this.#round = undefined;
        if (this.#closed) return;
        if (this.#again) {
          this.#again = false;
          this.wake();
        } else {
          this.#timer = setTimeout(() => this.wake(), pause);
          this.#timer.unref();
        }
      });
  }

  async flush(): Promise<void> {
    await this.#round;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** Milliseconds until there is something to do again. */
  async #deliverDue(): Promise<number> {
    const { ledger, now, pollMs = 5_000 } = this.#options;
    let pause = pollMs;
    /** Subjects of which a notice must wait, and with it those after it: the Operator hears of a profile's states in their order. */
    const held = new Set<string>();
    const hold = (name: string, waitMs: number) => {
      held.add(subjectOfNotice(name));
      pause = Math.min(pause, waitMs);
    };
    for await (const notices of scanSpread(ledger, noticeStripes)) {
      let left = notices;
      while (left.length > 0 && !this.#closed) {
        const firsts = firstOfEach(left.filter(({ sort }) => !held.has(subjectOfNotice(sort))));
        const early = firsts.filter((notice) => noticeRecord.from(notice).dueAt > now());
        for (const notice of early) hold(notice.sort, noticeRecord.from(notice).dueAt - now());
        const due = firsts.filter(({ sort }) => !held.has(subjectOfNotice(sort)));
        const waits = await mapConcurrently(callsOf(due), AT_ONCE, (call) => this.#deliver(call));
        for (const [name, waitMs] of waits.flat()) hold(name, waitMs);
        const done = new Set(firsts);
        left = left.filter((notice) => !done.has(notice) && !held.has(subjectOfNotice(notice.sort)));
      }
      if (this.#closed) break;
    }
    return Math.max(pause, 10);
  }

  /** Of a call: which of its notices have to wait, and for how many milliseconds. */
  async #deliver(call: readonly Item[]): Promise<(readonly [name: string, waitMs: number])[]> {
    if (this.#closed) return [];
    const outcomes = await attempt(this.#options, call, this.#options.schedule);
    return call.flatMap(({ sort }, i) => {
      const waitMs = this.#tell(sort, outcomes[i]!);
      return waitMs === undefined ? [] : [[sort, waitMs] as const];
    });
  }

  #tell(name: string, outcome: Outcome): number | undefined {
    const { onDelayed, onParked } = this.#options;
    if (outcome.kind === 'parked') onParked(name, outcome.url, outcome.reason);
    if (outcome.kind !== 'delayed') return undefined;
    onDelayed?.(name, outcome.attempts, outcome.reason);
    return outcome.waitMs;
  }
}

/** The first notice of each subject. */
function firstOfEach(notices: readonly Item[]): readonly Item[] {
  return [...Map.groupBy(notices, ({ sort }) => subjectOfNotice(sort)).values()].flatMap(
    ([first]) => first ?? [],
  );
}
