import type { Runtime } from '../../shared/runtime.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { diskTrial } from './health.ts';

/** The ledger is read too: a disk that can be written may still hold a ledger that cannot be opened. */
export function storeTrials({ config, context }: Runtime): Readonly<Record<string, () => Promise<void>>> {
  const ledgerDisk = diskTrial(config.ledger);
  return {
    ledger: async () => {
      await context.ledger.get(ledgerKeys.party('health'));
      await ledgerDisk();
    },
    vault: diskTrial(config.vault),
    ppks: diskTrial(config.ppks),
  };
}
