import type { ClockComparison } from '../../net/sntp.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';

/** Milliseconds by which this clock may differ from the other one before people are told. */
export const DRIFT_MS = 1_000;

/**
 * Compares the clock that the audit log takes its times from with one that is not this machine's (`timeSource`), writes down
 * what was found, and alarms where they differ. The clock is never set: that is the duty of the machine.
 */
export class ClockWatch {
  readonly #context: Pick<Context, 'ledger' | 'log' | 'now'>;
  readonly #ask: (source: string, now: () => number) => Promise<ClockComparison>;
  /** What the last comparison of this process has found. */
  last: ClockComparison | undefined;
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
    this.last = found;
    const about = { source: this.source, ...found };
    const at = now();
    await ledger.write(auditWrite({ event: 'clock.compared', by: 'server', about }, `clock-${at}`, at));
    if (Math.abs(found.aheadMs) > DRIFT_MS) log({ event: 'alarm.clock.drift', ...about });
    return found;
  }
}
