import { randomUUID } from 'node:crypto';
import type { Log } from '../../../shared/events/log-events.ts';
import type { Health as Readiness } from '../../../shared/service/api/ops.ts';
import type { Services } from '../../../shared/service/api/services.ts';
import type { TransferGate } from '../../../shared/vault/transfer.ts';
import type { PartyLimits } from '../admission/limits.ts';
import { PartyAdmission } from '../admission/party-admission.ts';
import type { SharedCount } from '../admission/shared-count.ts';
import type { Health } from '../health.ts';
import { type Listener, listen } from '../listener.ts';
import { readyRoute } from '../ready.ts';
import { routesOf } from '../routes.ts';
import { logServerFault } from '../server-fault.ts';
import { TIMEOUTS } from '../timeouts.ts';
import { TRANSFER_PREFIX, transferRoute } from '../transfer-route.ts';

/** Plain data, for another thread as well. */
export interface PartiesConfiguration {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly key: string; readonly cert: string };
  /** What one caller may take of this listener. */
  readonly limits: PartyLimits;
  /** Whether other threads listen on this port too. */
  readonly isShared: boolean;
}

/** Opens a listener of parties, who call by mutual TLS. `inWork`: calls of parties that are not answered. */
export type ListenForParties = (
  configuration: PartiesConfiguration,
  inWork: SharedCount,
) => Promise<Listener>;

/** A listener of parties in the thread that calls this. */
export function listenForParties({
  services,
  vault,
  health,
  ready,
  log,
}: {
  readonly services: Services;
  /** Answers the transfer links. */
  readonly vault: TransferGate;
  readonly health: () => Promise<Health>;
  readonly ready: (() => Promise<Readiness>) | undefined;
  readonly log: Log;
}): ListenForParties {
  return ({ host, port, tls, limits, isShared }, inWork) => {
    const now = () => performance.now();
    const admission = new PartyAdmission(limits, now, inWork);
    const routes = routesOf('parties', services, admission, { log, now, newIncident: randomUUID });
    const forReady = ready && readyRoute(ready);
    const transfer = transferRoute(vault, services, admission, log);
    return listen(
      {
        host,
        port,
        isShared,
        tls: { ...tls, requestCert: true, rejectUnauthorized: false },
        connections: admission.connections,
        headMs: limits.headSeconds * 1000,
        keepAliveMs: TIMEOUTS.keepAlive,
        health,
      },
      (path) => {
        if (path === '/health/ready') return forReady;
        return path.startsWith(TRANSFER_PREFIX) ? transfer : routes.get(path);
      },
      (error) => logServerFault(log, error),
    );
  };
}
