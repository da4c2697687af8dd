import type { Context } from '../context.ts';
import { repairJobCounts } from '../counts/job-recount.ts';
import { repairCounts } from '../inventory/recount.ts';
import { StoredDataKeys } from '../restore/data-keys.ts';
import { closeLost } from '../restore/lost-profiles.ts';
import { loadOrder } from '../supply/own-order.ts';
import type { Finding } from './finding.ts';

/**
 * Repairs what is repaired without loss, and leaves the rest: what counts for nothing is removed, what had to be
 * destroyed is destroyed, and what is lost already is closed. Whether the file of a store is closed to others is for who has the files (`closeFile`).
 */
export async function repair(
  context: Context,
  { repair: how }: Finding,
  closeFile: (path: string) => Promise<void> = async () => undefined,
): Promise<boolean> {
  if (how === undefined) return false;
  const { vault, ppks } = context;
  if ('removeObject' in how) await vault.remove(how.removeObject);
  else if ('destroyPack' in how) await ppks.destroyPack(how.destroyPack);
  else if ('destroyPpks' in how) await ppks.destroy(how.destroyPpks.pack, how.destroyPpks.places);
  else if ('recountOrder' in how) await repairCounts(context, how.recountOrder);
  else if ('recountJob' in how) await repairJobCounts(context.ledger, how.recountJob);
  else if ('adoptDataKeys' in how) await adoptDataKeys(context);
  else if ('closeLost' in how) {
    // what only has another name is not lost
    await adoptDataKeys(context);
    await closeLost(context, how.closeLost, await loadOrder(context, how.closeLost));
  } else await closeFile(how.closeFile);
  return true;
}

const adoptDataKeys = async (context: Context): Promise<void> =>
  (await StoredDataKeys.read(context.ppks)).reconcile(context);
