import { cp, rm } from 'node:fs/promises';
import { openRuntime } from '../../../shared/runtime.ts';
import type { Deployment } from '../../support/deployment.ts';

const ledgerOf = ({ config }: Deployment) => config.ledger.slice('sqlite:'.length);
const backupOf = (deployment: Deployment) => `${ledgerOf(deployment)}.backup`;

/** Copies the ledger away; the deployment goes on. */
export const backUp = (deployment: Deployment): Promise<void> =>
  copy(deployment, ledgerOf(deployment), backupOf(deployment));

/** Puts that copy in the place of the ledger, whatever happened since. */
export const putBack = (deployment: Deployment): Promise<void> =>
  copy(deployment, backupOf(deployment), ledgerOf(deployment));

async function copy(deployment: Deployment, from: string, to: string): Promise<void> {
  await deployment.runtime.close();
  for (const end of ['-wal', '-shm']) await rm(to + end, { force: true });
  await cp(from, to);
  deployment.runtime = await openRuntime(deployment.config);
}
