import { asRead, changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { Ledger, Write } from '../../ledger/ledger.ts';
import { scan } from '../../ledger/scan.ts';
import { jobCount } from '../records/inventory.ts';
import { chunkProgress, jobRecord } from '../records/job.ts';
import { jobPartition, ledgerKeys, PROGRESS } from '../records/keys.ts';
import { added, countKeys, isCounted, type JobProgress, NOTHING, ofChunk } from './job-counts.ts';

export const COUNTED = ['chunks', 'finished', 'bound', 'refused'] as const;
export type Counted = Pick<JobProgress, (typeof COUNTED)[number]>;

/** Whether what the chunks of a job were counted to contradicts what they say. */
export const differ = ({ counted, found }: { readonly counted: Counted; readonly found: Counted }): boolean =>
  COUNTED.some((what) => counted[what] !== found[what]);

/**
 * Makes the counts of a job of many chunks what its chunks say, beside commits that go on. Reads the progress of every chunk, a
 * page at a time. True where it changed them.
 */
export async function repairJobCounts(ledger: Ledger, jobId: string): Promise<boolean> {
  const job = await ledger.get(ledgerKeys.job(jobId));
  if (job === undefined || !isCounted(jobRecord.from(job))) return false;
  const keys = countKeys(jobId);
  return await changeItems<boolean>(ledger, async () => {
    // before the chunks: who commits meanwhile changes one of them
    const items = await ledger.getMany(keys);
    const counted = items.reduce(
      (all, item) => (item === undefined ? all : added(all, jobCount.from(item))),
      NOTHING,
    );
    let found = NOTHING;
    for await (const item of scan(ledger, jobPartition(jobId), { prefix: PROGRESS }))
      found = added(found, ofChunk(chunkProgress.from(item)));
    if (!differ({ counted, found })) return unchanged(false);
    const all = keys.map(
      (put, shard): Write => ({
        put,
        attributes: jobCount.to(shard === 0 ? found : NOTHING),
        when: asRead(items[shard]),
      }),
    );
    return writes(all, true);
  });
}
