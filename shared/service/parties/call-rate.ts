import { untilDone } from '../../concurrency.ts';
import { refuse } from '../../errors.ts';
import { asRead } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { ledgerKeys } from '../records/keys.ts';
import { bucketRecord } from '../records/party.ts';

export interface CallRate {
  /** Calls in the long run. */
  readonly perSecond: number;
  /** Calls at once after a pause. */
  readonly burst: number;
}

/** What this process holds of a party's bucket. */
interface Lease {
  tokens: number;
  /** Tokens that were taken with it. */
  readonly size: number;
  readonly from: number;
  readonly until: number;
  /** No token was there: none is asked for before this moment. */
  readonly emptyUntil: number;
}

/** What is taken on lease is taken of the bucket for good: a longer lease lets a quiet party use up what it has paid for. */
const LEASE_MS = 30_000;
/** What a party waits that lost all races for its bucket. */
const LOST_MS = 1_000;
/** Clocks that disagree by more were set back; a bucket from the future would refuse its party until then. */
const SKEW_MS = 10_000;
const MAX_LEASE = 16;
/** Parties that are remembered; a lease that is forgotten costs its party a few tokens. */
const MAX_LEASES = 10_000;

/**
 * A token bucket for each party in the ledger, so that a rate holds over any number of processes and Lambda
 * environments. A process takes tokens on lease for half a minute, one at first and twice as many each time that it has
 * used them up, so that a busy party costs a ledger write for up to 16 calls, and a quiet one leaves no tokens unused in
 * many places. The last token of a lease sends for the next one, so that no call waits for it. In a stretch of time a
 * party takes at most its burst, what it earns in the stretch, and what each process held on lease before it, 16 at most;
 * of its burst up to half may lapse in leases. Where clocks differ by more than ten seconds, each process earns by its
 * own, and the rate holds for each.
 */
export class CallRateLimiter {
  readonly #limit: CallRate;
  readonly #ledger: Ledger;
  readonly #now: () => number;
  readonly #leases = new Map<string, Lease>();
  readonly #refills = new Map<string, Promise<void>>();
  /** Tokens that calls of a party cost beyond the one that they were let in by, and that are not paid yet. */
  readonly #owed = new Map<string, number>();

  /** `now` in milliseconds. */
  constructor(limit: CallRate, ledger: Ledger, now: () => number) {
    this.#limit = limit;
    this.#ledger = ledger;
    this.#now = now;
  }

  /** Takes a token of this party, or refuses as `rateExceeded` and says when the next one is there. */
  async take(party: string): Promise<void> {
    for (;;) {
      const at = this.#now();
      const held = this.#leases.get(party);
      // a clock that was set back makes leases that never end
      const lease = held !== undefined && at < held.from ? undefined : held;
      if (lease !== undefined) this.#payFrom(lease, party);
      if (lease !== undefined && lease.tokens > 0 && at < lease.until) {
        lease.tokens -= 1;
        // who has used up one lease before comes again
        if (lease.tokens === 0 && lease.size > 1) this.#shared(party, lease).catch(() => undefined);
        return;
      }
      if (lease !== undefined && at < lease.emptyUntil) this.#refuse(party, lease.emptyUntil - at);
      await this.#shared(party, lease);
    }
  }

  /**
   * A call has cost so many tokens more than the one that it was let in by. They are taken of what the party has on lease
   * here, and of its bucket with the next lease: no call waits for it, and no write is made for it alone. What a process
   * owes that is not called again by the party is lost, which is one call's worth where it serves one at a time.
   */
  charge(party: string, tokens: number): void {
    this.#owed.set(party, (this.#owed.get(party) ?? 0) + tokens);
    if (this.#owed.size > MAX_LEASES) this.#owed.delete(this.#owed.keys().next().value!);
  }

  #payFrom(lease: Lease, party: string): void {
    const paid = Math.min(lease.tokens, Math.floor(this.#owed.get(party) ?? 0));
    if (paid <= 0) return;
    lease.tokens -= paid;
    this.#pay(party, paid);
  }

  #pay(party: string, tokens: number): void {
    const left = (this.#owed.get(party) ?? 0) - tokens;
    if (left > 0) this.#owed.set(party, left);
    else this.#owed.delete(party);
  }

  /** Those who come together wait for the same refill. */
  #shared(party: string, before: Lease | undefined): Promise<void> {
    let refill = this.#refills.get(party);
    if (refill === undefined) {
      refill = this.#refill(party, before).finally(() => this.#refills.delete(party));
      this.#refills.set(party, refill);
    }
    return refill;
  }

  async #refill(party: string, before: Lease | undefined): Promise<void> {
    const { perSecond, burst } = this.#limit;
    const usedUp = before !== undefined && before.tokens === 0 && before.size > 0;
    const wanted = Math.min(MAX_LEASE, usedUp ? before.size * 2 : 1, Math.max(1, Math.floor(burst / 2)));
    const key = ledgerKeys.rate(party);
    const attempt = async () => {
      const item = await this.#ledger.get(key);
      const at = this.#now();
      const bucket = item === undefined ? { tokens: burst, at } : bucketRecord.from(item);
      const setBack = bucket.at - at > SKEW_MS;
      // not since a moment before this process looked last: another one may have set the bucket back
      const since = Math.max(bucket.at, before?.from ?? 0);
      const earned = (Math.max(0, at - since) * perSecond) / 1000;
      const owed = Math.floor(this.#owed.get(party) ?? 0);
      const tokens = Math.min(burst, bucket.tokens + earned) - owed;
      if (tokens < 1 && !setBack && owed === 0) {
        return { value: this.#keepEmpty(party, tokens, at) };
      }
      const size = Math.max(0, Math.min(wanted, Math.floor(tokens)));
      const { done } = await this.#ledger.write({
        put: key,
        attributes: bucketRecord.to({ tokens: tokens - size, at: setBack ? at : Math.max(at, bucket.at) }),
        when: asRead(item),
      });
      if (!done) return undefined;
      this.#pay(party, owed);
      if (size === 0) return { value: this.#keepEmpty(party, tokens, at) };
      const lease = { tokens: size, size, from: at, until: at + LEASE_MS, emptyUntil: at };
      return { value: this.#keep(party, lease) };
    };
    // so many others at once: the party is far beyond its rate, in one place or in many
    await untilDone(attempt, () => this.#refuse(party, LOST_MS));
  }

  #keepEmpty(party: string, tokens: number, at: number): void {
    const emptyUntil = at + Math.ceil(((1 - tokens) * 1000) / this.#limit.perSecond);
    this.#keep(party, { tokens: 0, size: 0, from: at, until: at, emptyUntil });
  }

  #keep(party: string, lease: Lease): void {
    this.#leases.delete(party);
    this.#leases.set(party, lease);
    if (this.#leases.size > MAX_LEASES) this.#leases.delete(this.#leases.keys().next().value!);
  }

  #refuse(party: string, waitMs: number): never {
    const seconds = Math.max(1, Math.ceil(waitMs / 1000));
    refuse('rateExceeded', `more than ${this.#limit.perSecond} calls a second; try again in ${seconds} s`, {
      subjectIdentifier: party,
      retryAfterSeconds: seconds,
    });
  }
}
