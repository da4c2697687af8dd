import { createHash } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { scanPages } from '../../ledger/scan.ts';
import { ledgerKeys } from '../records/keys.ts';

/** An EUM chain that was accepted once. It is kept for good: bound eUICCs name it. */
export interface StoredEumChain {
  /** Hexadecimal SHA-256 over the certificates as they came. */
  readonly hash: string;
  /** DER; the issuer of the eUICCs first. */
  readonly certificates: readonly Bytes[];
  /** SubjectKeyIdentifier of the root. */
  readonly ciPkId: Bytes;
}

export function eumChainHash(certificates: readonly Bytes[]): string {
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
    { put: ledgerKeys.eumChain(hash), attributes: { certificates, ciPkId }, when: 'absent' },
    { put: ledgerKeys.knownEumChain(hash), attributes: {}, when: 'absent' },
  ]);
  return hash;
}

/** Every chain that was ever stored; a deployment has a few. */
export async function* storedEumChains(ledger: Ledger): AsyncGenerator<StoredEumChain> {
  for await (const names of scanPages(ledger, 'eum-chains')) {
    const chains = await ledger.getMany(names.map(({ sort }) => ledgerKeys.eumChain(sort)));
    for (const [i, chain] of chains.entries()) {
      if (chain === undefined) continue;
      const { certificates, ciPkId } = chain.attributes as Pick<StoredEumChain, 'certificates' | 'ciPkId'>;
      yield { hash: names[i]!.sort, certificates, ciPkId };
    }
  }
}
