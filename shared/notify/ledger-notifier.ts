import { messageOf, type OwnText } from '../events/error-record.ts';
import type { Item, Ledger } from '../ledger/ledger.ts';
import { scanSpread } from '../ledger/scan.ts';
import { noticePartitions, subjectOfNotice } from '../service/records/keys.ts';
import { noticeRecord } from '../service/records/notice.ts';
import { attempt } from './attempt.ts';
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
    const { ledger, pollMs = 5_000 } = this.#options;
    let pause = pollMs;
    /** Subjects of which a notice must wait, and with it those after it. */
    const held = new Set<string>();
    for await (const notices of scanSpread(ledger, noticePartitions)) {
      const subjects = [...Map.groupBy(notices, ({ sort }) => subjectOfNotice(sort))];
      for (let i = 0; i < subjects.length; i += AT_ONCE) {
        const waits = subjects.slice(i, i + AT_ONCE).map(async ([subject, items]) => {
          if (held.has(subject)) return Number.POSITIVE_INFINITY;
          const wait = await this.#deliverInOrder(items);
          if (Number.isFinite(wait)) held.add(subject);
          return wait;
        });
        pause = Math.min(pause, ...(await Promise.all(waits)));
        if (this.#closed) return pause;
      }
    }
    return Math.max(pause, 10);
  }

  /** Milliseconds until the first of them that is still to be taken is due; infinite if none is left. */
  async #deliverInOrder(items: readonly Item[]): Promise<number> {
    for (const item of items) {
      const early = noticeRecord.from(item).dueAt - this.#options.now();
      const wait = early > 0 ? early : await this.#deliver(item);
      if (Number.isFinite(wait)) return wait;
    }
    return Number.POSITIVE_INFINITY;
  }

  async #deliver(item: Item): Promise<number> {
    const { onDelayed, onParked, schedule } = this.#options;
    const outcome = await attempt(this.#options, item, schedule);
    if (outcome.kind === 'delayed') {
      onDelayed?.(item.sort, outcome.attempts, outcome.reason);
      return outcome.waitMs;
    }
    if (outcome.kind === 'parked') onParked(item.sort, outcome.url, outcome.reason);
    return Number.POSITIVE_INFINITY;
  }
}
