import { becomes, changeItem } from '../../ledger/change.ts';
import type { ClockComparison } from '../../net/sntp.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { clockComparison } from '../records/clock.ts';
import { ledgerKeys } from '../records/keys.ts';

/** Milliseconds by which this clock may differ from the other one before people are told. */
export const DRIFT_MS = 1_000;

/** Milliseconds between two comparisons. */
export const CLOCK_MS = 6 * 60 * 60_000;
/** Milliseconds for which a comparison says something: one that is not made any more does not stand for ever. */
const STANDS_MS = 2 * CLOCK_MS;

/**
 * Compares the clock that the audit log takes its times from with one that is not this machine's (`timeSource`), writes down
 * what was found, for the audit log and for the health of every thread, and alarms where they differ. The clock is never set: that is the duty of the machine.
 */
export class ClockWatch {
  readonly #context: Pick<Context, 'ledger' | 'log' | 'now'>;
  readonly #ask: (source: string, now: () => number) => Promise<ClockComparison>;
  /** Undefined where none is configured. */
  readonly source: string | undefined;

  constructor(
    context: Pick<Context, 'ledger' | 'log' | 'now'>,
    source: string | undefined,
    ask: (source: string, now: () => number) => Promise<ClockComparison>,
  ) {
    this.#context = context;
    this.source = source;
    this.#ask = ask;
  }

  /** Undefined where there is no clock to compare with. */
  async compare(): Promise<ClockComparison | undefined> {
    const { ledger, log, now } = this.#context;
    if (this.source === undefined) return undefined;
    const found = await this.#ask(this.source, now);
    const about = { source: this.source, ...found };
    await changeItem(ledger, ledgerKeys.clock, () => {
      const at = now();
      const attributes = clockComparison.to({ source: about.source, aheadMs: found.aheadMs, at });
      const line = auditWrite({ event: 'clock.compared', by: 'server', about }, `clock-${at}`, at);
      return becomes(attributes, undefined, [line]);
    });
    if (Math.abs(found.aheadMs) > DRIFT_MS) log({ event: 'alarm.clock.drift', ...about });
    return found;
  }
}

/**
 * By how many milliseconds the clock was ahead when it was compared the last time, by whichever thread or command of this
 * deployment; undefined where it was not of late, or did not differ by enough to tell.
 */
export async function driftOf({ ledger, now }: Pick<Context, 'ledger' | 'now'>): Promise<number | undefined> {
  const item = await ledger.get(ledgerKeys.clock);
  if (item === undefined) return undefined;
  const { aheadMs, at } = clockComparison.from(item);
  return now() - at <= STANDS_MS && Math.abs(aheadMs) > DRIFT_MS ? aheadMs : undefined;
}
