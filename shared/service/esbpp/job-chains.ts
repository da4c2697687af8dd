import { equal } from '../../codec/bytes.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Context } from '../context.ts';
import { chainsKey, type JobChains, type JobRecord, jobChains } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import type { DpBinding } from '../trust/trust.ts';

/** The place of each certificate chain in the job's list, which only ever grows. */
export async function chainIndexes(
  { ledger }: Context,
  jobId: string,
  bindings: readonly DpBinding[],
): Promise<ReadonlyMap<DpBinding, number>> {
  return await changeItem<ReadonlyMap<DpBinding, number>>(ledger, ledgerKeys.jobChains(jobId), (item) => {
    const chains = item === undefined ? [] : [...jobChains.from(item).chains];
    const before = chains.length;
    const indexes = new Map<DpBinding, number>();
    for (const dp of new Set(bindings)) {
      let index = chains.findIndex(({ certificates }) => equal(certificates[0]!, dp.chain[0]!.raw));
      if (index < 0) {
        const certificates = dp.chain.map(({ raw }) => raw);
        index = chains.push({ ciPkId: dp.ciPkId, certificates, smdpOid: dp.smdpOid }) - 1;
      }
      indexes.set(dp, index);
    }
    return chains.length === before ? unchanged(indexes) : becomes(jobChains.to({ chains }), indexes);
  });
}

/** The first `named` of them, which commits name: an attempt that lost may add others later, which would change the answer. */
export async function chainsOf(
  { ledger }: Pick<Context, 'ledger'>,
  jobId: string,
  job: JobRecord,
  named: number,
): Promise<JobChains['chains']> {
  const item = await ledger.get(chainsKey(jobId, job));
  return item === undefined ? [] : jobChains.from(item).chains.slice(0, named);
}
