import { createHash } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import type { Item } from '../../ledger/ledger.ts';
import { REFUSE_WITHOUT_LIST, type RevocationPolicy } from '../../pki/revocation.ts';
import { TrustStore } from '../../pki/trust-store.ts';
import { ledgerKeys } from '../records/keys.ts';
import { ciRecord, type DpPbRecord, dpPbRecord, eumRecord, trustPolicyRecord } from '../records/trust.ts';

/** What the items of the trust partition say, read together. */

export const sha256 = (octets: Bytes) => createHash('sha256').update(octets).digest('hex');

export const dpName = (dp: Pick<DpPbRecord, 'certificates'>) => sha256(dp.certificates[0]!);

export const ofKind = (items: readonly Item[], kind: string) =>
  items.filter(({ sort }) => sort.startsWith(`${kind}#`));
export const crlItems = (items: readonly Item[]) => ofKind(items, 'crl');

export function policyOf(items: readonly Item[]): RevocationPolicy {
  const item = items.find(({ sort }) => sort === ledgerKeys.trustPolicy.sort);
  return item === undefined ? REFUSE_WITHOUT_LIST : trustPolicyRecord.from(item).revocation;
}

export function storeOf(items: readonly Item[]): TrustStore {
  const cis = ofKind(items, 'ci').map(ciRecord.from);
  return new TrustStore({
    forSigning: cis.filter((ci) => ci.forSigning).map((ci) => ci.certificate),
    forVerification: cis.filter((ci) => ci.forVerification).map((ci) => ci.certificate),
  });
}

/** The chains that the configuration itself names: of our own certificates, and the EUMs of the allow-list. */
export function chainsOf(items: readonly Item[]): (readonly Bytes[])[] {
  return [
    ...ofKind(items, 'dppb').map((item) => dpPbRecord.from(item).certificates),
    ...ofKind(items, 'eum').map((item) => [eumRecord.from(item).certificate]),
  ];
}
