import { TransportRefusal } from '../../../shared/gsma/transport-refusal.ts';

/** Gives back what was taken; a second call does nothing. */
export type Release = () => void;

interface Waiting {
  readonly amount: number;
  readonly grant: () => void;
}

/**
 * So much of something that calls hold while they are in work: octets of bodies, or places. Who finds too little left
 * waits in order of arrival, without anything read, and is sent away with 1.2/6.4 once that takes too long (I13).
 */
export class Budget {
  readonly #limit: number;
  readonly #what: string;
  readonly #waiting = new Set<Waiting>();
  #held = 0;

  /** `what` completes "… are in use". */
  constructor(limit: number, what: string) {
    this.#limit = limit;
    this.#what = what;
  }

  get held(): number {
    return this.#held;
  }

  /** `amount` is cut to the limit, so that what is larger passes alone. */
  async take(amount: number, patienceMs: number): Promise<Release> {
    const wanted = Math.min(amount, this.#limit);
    if (this.#waiting.size > 0 || this.#held + wanted > this.#limit) await this.#turn(wanted, patienceMs);
    else this.#held += wanted;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#held -= wanted;
      this.#grantNext();
    };
  }

  #turn(amount: number, patienceMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        amount,
        grant: () => {
          clearTimeout(impatience);
          resolve();
        },
      };
      const impatience = setTimeout(() => {
        this.#waiting.delete(waiting);
        reject(busy(`all ${this.#what} are in use`));
        // somebody smaller may have waited behind
        this.#grantNext();
      }, patienceMs);
      this.#waiting.add(waiting);
    });
  }

  #grantNext(): void {
    for (const waiting of this.#waiting) {
      if (this.#held + waiting.amount > this.#limit) return;
      this.#waiting.delete(waiting);
      this.#held += waiting.amount;
      waiting.grant();
    }
  }
}

/** More than is admitted: 503, 1.2/6.4, with Retry-After. */
export function busy(message: string, retryAfterSeconds = 1): TransportRefusal {
  return new TransportRefusal(503, 'serverBusy', `${message}; try again in ${retryAfterSeconds} s`, {
    retryAfterSeconds,
  });
}
