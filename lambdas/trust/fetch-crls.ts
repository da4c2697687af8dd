import { httpFetch } from '../../shared/net/http-fetch.ts';
import { MAX_CRL } from '../../shared/pki/crl.ts';
import { CrlFetcher } from '../../shared/service/trust/crl-fetcher.ts';
import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

const TIMEOUT_MS = 30_000;

/** On a schedule: fetches the revocation lists that certificates in use point to. */
export const handler = backgroundEntry(
  'trust.fetchCrls',
  async (_event: unknown, log) => {
    const runtime = await sharedRuntime();
    const fetch = httpFetch(
      { timeoutMs: TIMEOUT_MS, maxOctets: MAX_CRL },
      runtime.context.settings.destinations,
    );
    const fetcher = new CrlFetcher(runtime, fetch, log);
    const fetched = await fetcher.round();
    return { points: fetched.length, failed: fetched.filter(({ outcome }) => outcome === 'failed').length };
  },
  { outcome: (counts) => counts },
);
