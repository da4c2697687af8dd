import { randomUUID } from 'node:crypto';
import { type ConsoleRole, callerOf } from '../../console/server/login.ts';
import { readSite } from '../../console/server/site.ts';
import { errorRecords } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { personOf } from '../../shared/service/api/actor.ts';
import { noteSession } from '../../shared/service/parties/session-journal.ts';
import { limitsOf } from '../server/admission/limits.ts';
import { startConsole } from '../server/console.ts';
import { HealthCheck } from '../server/health.ts';
import { storeTrials } from '../server/store-trials.ts';
import { actingPerson } from './acting-person.ts';
import { CONSOLE_PORT, type ConsoleConfig, oidcOptions } from './console-config.ts';
import type { DeploymentFolder } from './folder.ts';
import { freePort } from './free-port.ts';

/** What a command line asks for; `config.json` has the rest. */
export interface WantedConsole {
  readonly port?: number;
  readonly linkRole?: ConsoleRole;
}

export interface OpenedConsole {
  readonly url: string;
  /** Logs in once, as whoever has started the server. */
  readonly link: string;
  readonly linkRole: ConsoleRole;
  /** False where nobody has built the pages. */
  readonly built: boolean;
  close(): Promise<void>;
}

interface Behind {
  readonly runtime: Runtime;
  /** PEM, as the other listeners have it. */
  readonly tls: { readonly key: string; readonly cert: string };
  readonly log: Log;
}

/** Opens the console of a running server, where `config.json` or the command line asks for one. */
export async function openConsole(
  { config, folder }: DeploymentFolder,
  { runtime, tls, log }: Behind,
  wanted: WantedConsole | undefined,
): Promise<OpenedConsole | undefined> {
  if (config.console === undefined && wanted === undefined) return undefined;
  const settings: ConsoleConfig = { ...config.console, ...wanted };
  const { host, limits } = config.server;
  const port = await freePort(host, settings.port ?? CONSOLE_PORT);
  const site = await readSite();
  const trials = new HealthCheck(storeTrials(runtime), () => performance.now());
  const oidc = await oidcOptions(settings.oidc, folder, process.env);
  const running = await startConsole({
    url: settings.publicUrl ?? `https://${nameOf(host)}:${port}`,
    site,
    services: runtime.services,
    tls,
    listen: { host, port },
    limits: limitsOf(limits).parties,
    health: () => trials.ask(),
    log,
    ...(oidc !== undefined && { oidc }),
    now: runtime.context.now,
    // a log that cannot be written, as that of a frozen ledger, keeps nobody from looking
    onSession: (what, login) =>
      noteSession(runtime.context, what, personOf(callerOf(login)), login.role).catch((error: unknown) =>
        log({ event: 'fault', incident: randomUUID(), function: 'console', errors: errorRecords(error) }),
      ),
  });
  const linkRole = settings.linkRole ?? 'viewer';
  const { person } = actingPerson('console');
  return {
    url: running.url,
    link: running.makeLink({ person, role: linkRole }),
    linkRole,
    built: site !== undefined,
    close: running.close,
  };
}

/** What a browser on this machine calls a host by: all addresses are none, and IPv6 stands in brackets. */
function nameOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
