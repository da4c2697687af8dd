import { type Bytes, equal, toHex } from '../codec/bytes.ts';
import type { Curve, PublicKey } from '../crypto/curves.ts';
import { keyIdentifier } from '../crypto/ec-key-forms.ts';
import { refuse } from '../errors.ts';
import type { Certificate } from './certificate.ts';
import type { ChainCodes } from './chain-codes.ts';
import { type Name, sameName } from './name.ts';
import { checkSigningLeaf, columnOf, decodeChain, type Variant, verifyToAnchor } from './path.ts';
import type { RevocationLists } from './revocation.ts';
import type { TrustStore } from './trust-store.ts';

const DP: ChainCodes = { invalid: 'dpCertificateInvalid', expired: 'dpCertificateExpired' };

/** Roles from the binding certificate up to below the CI. */
const ORDERS = new Map<string, 'O' | 'A' | 'B' | 'C'>([
  ['dpPb', 'O'],
  ['dpPb < dpSubCa', 'A'],
  ['dpPb < ciSubCa', 'B'],
  ['dpPb < dpSubCa < ciSubCa', 'C'],
]);

export interface DpChainInput {
  /** DER certificates, CERT.DPpb first; the CI may follow at the end. */
  readonly chain: readonly Bytes[];
  readonly ciPkId: Bytes;
  /**
   * SubjectPublicKeyInfo in DER of the signing key, canonical as its key provider gives it; must be the certificate's. Absent
   * where the key is compared when it is about to sign.
   */
  readonly spki?: Bytes;
  readonly trust: TrustStore;
  readonly crls: RevocationLists;
  readonly atMs: number;
}

/** Our binding chain as it held at one moment. */
export interface VerifiedDp {
  readonly ci: Certificate;
  readonly ciPkId: Bytes;
  readonly variant: Variant;
  /** DPpb first, without the CI: what goes beside the BPPs. */
  readonly chain: readonly Certificate[];
  readonly publicKey: PublicKey;
  /** registeredID in the SubjectAltName of CERT.DPpb, dotted; results of eUICCs repeat it as smdpOid. */
  readonly smdpOid: string;
}

/**
 * Verifies our own profile binding chain up to a CI that eUICCs verify under, and that a given key is its key.
 * Refuses: `ciUnknown` 8.11.1/3.9, `dpCertificateInvalid` 8.8.4/6.1, `dpCertificateExpired` 8.8.4/6.3, `crlMissing`,
 * `securityConfiguration`, `protocolFormat`.
 */
export function verifyDpChain({ chain: ders, ciPkId, spki, trust, crls, atMs }: DpChainInput): VerifiedDp {
  const anchors = trust.anchorsForVerification(ciPkId);
  const chain = decodeChain(ders, anchors, DP);
  const { column, variant } = columnOf(chain, ORDERS, DP);
  const leaf = chain[0]!;
  checkSigningLeaf(leaf, 'dpPb', column, DP.invalid);
  const ci = verifyToAnchor(chain, anchors, { crls, atMs, codes: DP });
  if (spki !== undefined && !equal(leaf.spki, spki))
    refuse(
      DP.invalid,
      `the signing key (SKI ${keyIdentifier(spki)}) is not the key of CERT.DPpb (SKI ${keyIdentifier(leaf.spki)})`,
    );
  const [smdpOid, ...others] = leaf.extensions.subjectAltName?.registeredIds ?? [];
  if (smdpOid === undefined || others.length > 0)
    refuse(DP.invalid, 'CERT.DPpb has not one registeredID in its SubjectAltName');
  return { ci, ciPkId, variant, chain, publicKey: leaf.publicKey, smdpOid };
}

/**
 * The first of our chains under a CI that the eUICC verifies under, in the order of preference that it gives
 * (EUICCInfo2 euiccCiPKIdListForVerification, tag A9), on the curve that its suite signs on. `noDpChain` where none is.
 * Where the CI's key has several names, a chain under the name that the eUICC's own chain has (`ownCi`) goes first:
 * the eUICC was made with that one.
 */
export function selectDpChain<T extends VerifiedDp>(
  chains: readonly T[],
  ciPkIdsForVerification: readonly Bytes[],
  curve: Curve,
  ownCi?: Name,
): T {
  for (const ciPkId of ciPkIdsForVerification) {
    const fitting = chains.filter((chain) => equal(chain.ciPkId, ciPkId) && chain.publicKey.curve === curve);
    const named = fitting.find(({ ci }) => ownCi !== undefined && sameName(ci.subject, ownCi));
    const chosen = named ?? fitting[0];
    if (chosen !== undefined) return chosen;
  }
  return refuse(
    'noDpChain',
    `no binding certificate on ${curve.name} under one of ${ciPkIdsForVerification.map(toHex).join(', ')}`,
  );
}
