import { equal } from '../../codec/bytes.ts';
import type { Context } from '../context.ts';
import { jobChains } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import type { DpBinding } from '../trust/trust.ts';

/** The place of each certificate chain in the job's list, which only ever grows. */
export async function chainIndexes(
  { ledger }: Context,
  jobId: string,
  bindings: readonly DpBinding[],
): Promise<ReadonlyMap<DpBinding, number>> {
  const key = ledgerKeys.jobChains(jobId);
  for (;;) {
    const item = await ledger.get(key);
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
    if (chains.length === before) return indexes;
    const when = item === undefined ? 'absent' : { revision: item.revision };
    if ((await ledger.write({ put: key, attributes: jobChains.to({ chains }), when })).done) return indexes;
  }
}
