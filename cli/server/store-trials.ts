import type { Runtime } from '../../shared/runtime.ts';
import { diskTrial } from './health.ts';

/**
 * The ledger is read too: a disk that can be written may still hold a ledger that cannot be opened, or one in a stored form that is
 * too new for this release.
 */
export function storeTrials({
  config,
  storedForm,
}: Pick<Runtime, 'config' | 'storedForm'>): Readonly<Record<string, () => Promise<void>>> {
  const ledgerDisk = diskTrial(config.ledger);
  return {
    ledger: async () => {
      await storedForm.requireKnown();
      await ledgerDisk();
    },
    vault: diskTrial(config.vault),
    ppks: diskTrial(config.ppks),
  };
}
