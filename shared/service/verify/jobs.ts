import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { recordedJobs } from '../records/locked-records.ts';
import { checkEach, type Finding, inLedger, type Slice } from './finding.ts';

/** Jobs of one slice. */
const SLICE = 20;

/** Every locked record of a job: it was written when the ledger had the job, before any of it was bound. */
export async function* verifyJobs(context: Context, after: string): AsyncGenerator<Slice> {
  let jobIds: string[] = [];
  const slice = async (): Promise<Slice> => {
    const findings = await checkEach(
      jobIds,
      (jobId) => checkKnown(context, jobId),
      (jobId) => inLedger(ledgerKeys.job(jobId), ''),
    );
    return { findings, looked: jobIds.length, cursor: jobIds.at(-1)! };
  };
  for await (const jobId of recordedJobs(context.vault)) {
    if (jobId <= after) continue;
    jobIds.push(jobId);
    if (jobIds.length < SLICE) continue;
    yield await slice();
    jobIds = [];
  }
  if (jobIds.length > 0) yield await slice();
}

async function checkKnown({ ledger }: Context, jobId: string): Promise<Finding[]> {
  const key = ledgerKeys.job(jobId);
  if ((await ledger.get(key)) !== undefined) return [];
  return [inLedger(key, 'a locked record tells of this job, and the ledger does not know it')];
}
