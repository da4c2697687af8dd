import { Fault, Refusal } from '../../errors.ts';
import { messageOf } from '../../events/error-record.ts';
import type { Log } from '../../events/log-events.ts';
import type { FetchOctets } from '../../net/http-fetch.ts';
import type { Trust } from './trust.ts';
import type { TrustAdministration } from './trust-administration.ts';

/** Points of one round; more than a deployment has CIs and EUMs with sub-CAs. */
const MAX_POINTS = 256;

export interface CrlFetch {
  readonly point: string;
  /** `taken`: a list that was not held before. */
  readonly outcome: 'taken' | 'held' | 'failed';
  readonly message?: string;
}

/**
 * Fetches the revocation lists that the certificates in use point to. A list that is fetched goes through the same
 * checks as one that an administrator brings: a distribution point is only a place, and vouches for nothing.
 */
export class CrlFetcher {
  readonly #trust: Trust;
  readonly #administration: TrustAdministration;
  readonly #fetch: FetchOctets;
  readonly #log: Log;

  constructor(
    { trust, trustAdministration }: { trust: Trust; trustAdministration: TrustAdministration },
    fetch: FetchOctets,
    log: Log = () => undefined,
  ) {
    this.#trust = trust;
    this.#administration = trustAdministration;
    this.#fetch = fetch;
    this.#log = log;
  }

  /** One round over all points, one after the other; a point that fails holds up no other. */
  async round(): Promise<CrlFetch[]> {
    const fetched: CrlFetch[] = [];
    for (const point of (await this.#trust.inspect()).slice(0, MAX_POINTS)) {
      try {
        const { isNew } = await this.#administration.addCrl(await this.#fetch(point), [], 'crl-fetch');
        fetched.push({ point, outcome: isNew ? 'taken' : 'held' });
      } catch (error) {
        if (!(error instanceof Refusal || error instanceof Fault)) throw error;
        fetched.push({ point, outcome: 'failed', message: error.message });
        this.#log({ event: 'alarm.crl.fetchFailed', point, message: messageOf(error) });
      }
    }
    return fetched;
  }
}
