import { createHash } from 'node:crypto';
import { type Bytes, toHex } from '../../codec/bytes.ts';
import type { Item } from '../../ledger/ledger.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { REFUSE_WITHOUT_LIST, type RevocationPolicy } from '../../pki/revocation.ts';
import { TrustStore } from '../../pki/trust-store.ts';
import { ledgerKeys } from '../records/keys.ts';
import { ciRecord, type DpPbRecord, dpPbRecord, eumRecord, trustPolicyRecord } from '../records/trust.ts';

/** What the items of the trust partition say, read together. */

export const sha256 = (octets: Bytes) => createHash('sha256').update(octets).digest('hex');

export const dpName = (dp: Pick<DpPbRecord, 'certificates'>) => sha256(dp.certificates[0]!);

/**
 * A CI certificate's name in the trust partition: its key, by which eUICCs and the administrator know a CI, and itself, since a
 * key may have several.
 */
export const ciName = (ci: Certificate) => `${keyIdOf(ci)}#${sha256(ci.raw)}`;

/** An EUM's name on the allow-list: its key itself beside the identifier, which another CI could give to another key. */
export const eumName = (eum: Certificate) => `${keyIdOf(eum)}#${sha256(eum.spki)}`;

const keyIdOf = ({ extensions }: Certificate) => toHex(extensions.subjectKeyIdentifier ?? Buffer.alloc(0));

/** Those of a kind, or of a kind and the beginning of a name, up to a `#` or to its end. */
export const ofKind = (items: readonly Item[], kind: string) =>
  items.filter(({ sort }) => sort === kind || sort.startsWith(`${kind}#`));
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
    ...ofKind(items, 'eum').flatMap((item) =>
      eumRecord.from(item).certificates.map((certificate) => [certificate]),
    ),
  ];
}
