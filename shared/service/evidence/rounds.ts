import { messageOf } from '../../events/error-record.ts';
import type { Log } from '../../events/log-events.ts';
import type { AuditHead } from '../api/admin.ts';
import { CLOCK_MS, type ClockWatch } from './clock-watch.ts';
import type { OutsideAnchor } from './outside-anchor.ts';

/** Milliseconds between two ends that one process keeps outside. */
export const ANCHOR_MS = 60 * 60_000;

interface Sources {
  readonly anchor: Pick<OutsideAnchor, 'uri' | 'keep'>;
  readonly clock: Pick<ClockWatch, 'source' | 'compare'>;
}

/**
 * What makes the log evidence, in a process that runs every few minutes, such as an environment of Lambda: the end kept outside at its
 * first run and once an hour, the clock of its host compared at its first run and every six hours. What fails is told, holds
 * up nothing, and is tried again with the next run.
 */
export class EvidenceRounds {
  readonly #evidence: Sources;
  readonly #log: Log;
  readonly #now: () => number;
  #keptMs = Number.NEGATIVE_INFINITY;
  #comparedMs = Number.NEGATIVE_INFINITY;

  constructor(evidence: Sources, log: Log, now: () => number) {
    this.#evidence = evidence;
    this.#log = log;
    this.#now = now;
  }

  async round(head: AuditHead): Promise<void> {
    const { anchor, clock } = this.#evidence;
    const at = this.#now();
    if (anchor.uri !== undefined && at - this.#keptMs >= ANCHOR_MS)
      await this.#told('alarm.audit.unanchored', async () => {
        await anchor.keep(head);
        this.#keptMs = at;
      });
    if (clock.source !== undefined && at - this.#comparedMs >= CLOCK_MS)
      await this.#told('alarm.clock.unchecked', async () => {
        await clock.compare();
        this.#comparedMs = at;
      });
  }

  async #told(event: 'alarm.audit.unanchored' | 'alarm.clock.unchecked', work: () => Promise<void>) {
    try {
      await work();
    } catch (error) {
      this.#log({ event, message: messageOf(error) });
    }
  }
}
