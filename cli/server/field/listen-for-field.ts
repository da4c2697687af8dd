import { randomUUID } from 'node:crypto';
import type { Log } from '../../../shared/events/log-events.ts';
import type { Services } from '../../../shared/service/api/services.ts';
import { FieldAdmission } from '../admission/field-admission.ts';
import type { FieldLimits } from '../admission/limits.ts';
import type { SharedCount } from '../admission/shared-count.ts';
import type { Health } from '../health.ts';
import { type Listener, listen } from '../listener.ts';
import { routesOf } from '../routes.ts';
import { logServerFault } from '../server-fault.ts';
import { TIMEOUTS } from '../timeouts.ts';

/** Plain data, for another thread as well. */
export interface FieldConfiguration {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly limits: FieldLimits;
}

/** Opens the listener of the field, where anybody may call. `partiesInWork`: calls of parties that are not answered. */
export type ListenForField = (
  configuration: FieldConfiguration,
  partiesInWork: SharedCount,
) => Promise<Listener>;

/** The listener of the field in the thread that calls this. */
export function listenForField({
  services,
  health,
  log,
}: {
  readonly services: Services;
  readonly health: () => Promise<Health>;
  readonly log: Log;
}): ListenForField {
  return ({ host, port, tls, limits }, partiesInWork) => {
    const now = () => performance.now();
    const admission = new FieldAdmission(limits, now, partiesInWork);
    const routes = routesOf('field', services, admission, { log, now, newIncident: randomUUID });
    return listen(
      {
        host,
        port,
        tls,
        connections: admission.connections,
        headMs: limits.headSeconds * 1000,
        keepAliveMs: TIMEOUTS.keepAliveField,
        health,
      },
      (path) => routes.get(path),
      (error) => logServerFault(log, error),
    );
  };
}
