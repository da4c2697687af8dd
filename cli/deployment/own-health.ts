import { X509Certificate } from 'node:crypto';
import type { Runtime } from '../../shared/runtime.ts';
import type { Checks } from '../../shared/service/inventory/health.ts';
import type { OfProcess } from '../../shared/service/inventory/inventory.ts';
import { illSpace } from '../server/disk-space.ts';
import { storeTrials } from '../server/store-trials.ts';
import type { DeploymentFolder } from './folder.ts';
import { serverCertificateIn } from './tls.ts';

/**
 * What only the embedded server can tell of itself: whether its disk takes what is written, how much is left of it, and its
 * TLS certificate. `cert` is PEM, the server's own first.
 */
export function ownHealth(
  runtime: Runtime,
  cert: string,
): Required<Pick<OfProcess, 'checks' | 'certificates'>> {
  const { subject, validTo } = new X509Certificate(cert);
  const notAfterMs = Date.parse(validTo);
  const { ledger, vault, ppks } = runtime.config;
  const trials = storeTrials(runtime);
  const tried = (name: string) => async () => {
    await trials[name]?.();
    return undefined;
  };
  const checks: Checks = {
    vault: tried('vault'),
    'PPK vault': tried('ppks'),
    disk: async () => (await illSpace({ ledger, vault, 'PPK vault': ppks })) ?? (await tried('ledger')()),
    TLS: async () =>
      notAfterMs > runtime.context.now() ? undefined : `the certificate of the server ended at ${validTo}`,
  };
  return { checks, certificates: [{ kind: 'tls', name: subject.replaceAll('\n', ', '), notAfterMs }] };
}

/** The same of the server that works in this folder, for a command beside it; nothing where none has been started yet. */
export function healthInFolder(runtime: Runtime, deployment: DeploymentFolder): Partial<OfProcess> {
  const cert = serverCertificateIn(deployment.path('tls'));
  return cert === undefined ? {} : ownHealth(runtime, cert);
}
