import { createHash } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { scanPages } from '../../ledger/scan.ts';
import { ledgerKeys, partitions } from '../records/keys.ts';
import { type EumChainRecord, eumChainRecord, knownEumChain } from '../records/trust.ts';

export interface StoredEumChain extends EumChainRecord {
  /** Hexadecimal SHA-256 over the certificates as they came. */
  readonly hash: string;
}

function eumChainHash(certificates: readonly Bytes[]): string {
  return createHash('sha256')
    .update(Buffer.concat(certificates as Uint8Array[]))
    .digest('hex');
}

/** Stores a verified chain, and its name in the list of them; may be repeated. */
export async function storeEumChain(
  ledger: Ledger,
  certificates: readonly Bytes[],
  ciPkId: Bytes,
): Promise<string> {
  const hash = eumChainHash(certificates);
  await ledger.writeMany([
    {
      put: ledgerKeys.eumChain(hash),
      attributes: eumChainRecord.to({ certificates, ciPkId }),
      when: 'absent',
    },
    { put: ledgerKeys.knownEumChain(hash), attributes: knownEumChain.to({}), when: 'absent' },
  ]);
  return hash;
}

/** Every chain that was ever stored; a deployment has a few. */
export async function* storedEumChains(ledger: Ledger): AsyncGenerator<StoredEumChain> {
  for await (const names of scanPages(ledger, partitions.eumChains)) {
    const chains = await ledger.getMany(names.map(({ sort }) => ledgerKeys.eumChain(sort)));
    for (const [i, chain] of chains.entries()) {
      if (chain === undefined) continue;
      yield { hash: names[i]!.sort, ...eumChainRecord.from(chain) };
    }
  }
}
