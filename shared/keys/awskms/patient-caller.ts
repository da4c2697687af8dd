import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../../errors.ts';
import type { Slowed, UseOptions } from '../provider.ts';
import { kmsFault, troubleOf, whyOf } from './errors.ts';
import type { QuotaQueue } from './quota-queue.ts';

export interface Patience {
  /** Milliseconds for which a call is tried again while KMS throttles or fails, by priority. */
  readonly interactive: number;
  readonly bulk: number;
}

export interface PatientCallerOptions {
  readonly patience: Patience;
  readonly onSlowed: ((slowed: Slowed) => void) | undefined;
  /** Milliseconds, of a clock that never goes back. */
  readonly now: () => number;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

/** Milliseconds. */
const FIRST_WAIT = 50;
const LONGEST_WAIT = 1_000;

/**
 * Tries a call again while KMS throttles it or is out of order: exponential backoff with full jitter, within the
 * rate limit, until patience ends. Then, and for everything else at once, throws a Fault.
 */
export class PatientCaller {
  readonly #options: PatientCallerOptions;

  constructor(options: PatientCallerOptions) {
    this.#options = options;
  }

  async call<T>(
    name: string,
    keyId: string,
    { priority = 'bulk', onSlowed }: UseOptions,
    queue: QuotaQueue | undefined,
    attempt: () => Promise<T>,
  ): Promise<T> {
    const { patience, now, random } = this.#options;
    const end = now() + patience[priority];
    for (let tries = 0; ; tries += 1) {
      await queue?.take(priority);
      try {
        return await attempt();
      } catch (error) {
        const trouble = troubleOf(error);
        if (trouble === 'final') throw kmsFault(error, name, keyId);
        const wait = Math.ceil(random() * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** tries));
        if (now() + wait > end) throw exhausted(trouble, name, keyId, error);
        const slowed: Slowed = { call: name, keyId, reason: trouble, wait };
        this.#options.onSlowed?.(slowed);
        onSlowed?.(slowed);
        await delay(wait);
      }
    }
  }
}

function exhausted(trouble: 'throttled' | 'transient', name: string, keyId: string, cause: unknown): Fault {
  return trouble === 'throttled'
    ? new Fault('keyProviderThrottled', `kms:${name} with ${keyId} is throttled`, { cause, retryable: true })
    : new Fault('keyProvider', `kms:${name} with ${keyId} gets no answer: ${whyOf(cause)}`, {
        cause,
        retryable: true,
      });
}
