import type { InterfaceFunction } from '../shared/gsma/interface-function.ts';
import type { Runtime } from '../shared/runtime.ts';
import { sharedRuntime } from './runtime.ts';

/** Lambda gives the INIT phase of an environment ten seconds; what takes longer goes on with the first call. */
const INIT_MS = 8_000;

/**
 * Loads in the INIT phase of an environment what its first call would wait for otherwise: the configuration and its stores;
 * where one profile is bound while a device waits, trust as well, the public parts of the binding keys, and with them the
 * connections to DynamoDB, S3 and KMS. With provisioned concurrency that happens before there is a call. Never rejects: what
 * cannot be loaded is tried again, and told, by the first call.
 */
export async function loadAhead(
  fn: InterfaceFunction,
  open: () => Promise<Runtime> = sharedRuntime,
): Promise<void> {
  const loaded = open().then((runtime) =>
    fn.role !== 'anyone' && fn.readsAhead === true ? loadTrust(runtime) : undefined,
  );
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, INIT_MS);
  await Promise.race([loaded.catch(() => undefined), late]);
  clearTimeout(timer);
}

async function loadTrust({ trust, context }: Runtime): Promise<void> {
  const { dpBindings } = await trust.current();
  await Promise.allSettled([
    ...dpBindings.map(({ keyUri }) => context.keyRing.binding(keyUri)),
    // nothing has this name: a call each, for the connection
    context.ppks.header(NOTHING),
    context.vault.head(NOTHING),
  ]);
}

const NOTHING = 'connection';
