import { createHash } from 'node:crypto';
import type { Ledger } from '../../../ledger/ledger.ts';
import { type JobChains, jobChains } from '../../records/job.ts';
import { ledgerKeys } from '../../records/keys.ts';
import type { DpBinding } from '../../trust/trust.ts';

/** Chains of ours that this process has seen in the ledger. */
const KEPT = 100;

/**
 * Our certificate chains as items of their own, by their SHA-256: a job that is bound just in time names one, where others
 * have a list.
 */
export class SharedChains {
  readonly #ledger: Ledger;
  readonly #stored = new Set<string>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** The chain and its name, under which it is stored once this resolves. */
  async of({
    ciPkId,
    chain,
    smdpOid,
  }: DpBinding): Promise<{ readonly name: string; readonly chain: JobChains['chains'][number] }> {
    const shared = { ciPkId, certificates: chain.map(({ raw }) => raw), smdpOid };
    const hash = createHash('sha256').update(ciPkId);
    for (const certificate of shared.certificates) hash.update(certificate);
    const name = hash.update(smdpOid).digest('hex');
    if (!this.#stored.has(name)) {
      const attributes = jobChains.to({ chains: [shared] });
      await this.#ledger.write({ put: ledgerKeys.bindingChain(name), attributes, when: 'absent' });
      if (this.#stored.size >= KEPT) this.#stored.clear();
      this.#stored.add(name);
    }
    return { name, chain: shared };
  }
}
