import { messageOf } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import { httpFetch } from '../../shared/net/http-fetch.ts';
import { MAX_CRL } from '../../shared/pki/crl.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { CrlFetcher } from '../../shared/service/trust/crl-fetcher.ts';
import { scrub } from '../../shared/service/verify/scrub.ts';
import { type EmbeddedUpkeepName, UPKEEP } from '../../shared/upkeep.ts';
import { type Rounds, startRounds } from './rounds.ts';

const CRL_TIMEOUT_MS = 30_000;
/** What a round of the reaper goes on for where there is much to destroy. */
const REAPING_MS = 20_000;

type Round = () => Promise<unknown>;

/** What each row of the table of upkeep runs here. */
function embeddedUpkeep(runtime: Runtime, log: Log): Readonly<Record<EmbeddedUpkeepName, Round>> {
  const { audit, evidence, services, keyInventory, wrappingRotation, reaper, context, storedForm } = runtime;
  const fetch = httpFetch({ timeoutMs: CRL_TIMEOUT_MS, maxOctets: MAX_CRL }, context.settings.destinations);
  const fetcher = new CrlFetcher(runtime, fetch, log);
  return {
    'audit.chain': () => audit.chain(),
    'audit.archive': () => audit.archive(),
    'audit.anchor': async () => evidence.anchor.keep(await audit.head()),
    'clock.compare': () => evidence.clock.compare(),
    'keys.check': () =>
      Promise.all([keyInventory.check(), services.parties.tellEnding(), services.callbacks.tellEnding()]),
    'keys.rewrap': () => wrappingRotation.rewrap(),
    'life.reap': () => {
      const until = context.now() + REAPING_MS;
      return reaper.round(() => context.now() < until);
    },
    'verify.scrub': () => scrub(context),
    'upgrade.say': () => storedForm.say(),
    'trust.fetchCrls': () => fetcher.round(),
  };
}

/** Starts what runs beside the calls. */
export function startUpkeep(
  runtime: Runtime,
  configuration: { readonly crlFetchMinutes?: number },
  log: Log,
): Rounds[] {
  const works = Object.entries(embeddedUpkeep(runtime, log)) as [EmbeddedUpkeepName, Round][];
  return works.flatMap(([name, work]) => {
    const row = UPKEEP[name].embedded;
    const pauseMs = 'pauseMs' in row ? row.pauseMs : (configuration[row.minutesOf] ?? 0) * 60_000;
    if (pauseMs === 0) return [];
    return startRounds(work, pauseMs, (error) => log({ event: row.trouble, message: messageOf(error) }));
  });
}
