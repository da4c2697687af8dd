import type { Bytes } from '../../shared/codec/bytes.ts';
import { Refusal } from '../../shared/errors.ts';
import { decodeCertificate } from '../../shared/pki/certificate.ts';
import {
  RevocationLists,
  type RevocationPolicy,
  TrustStore,
  type VerifiedEum,
  verifyDpChain,
  verifyEumChain,
} from '../../shared/pki/chain.ts';
import type { StatusName } from '../../shared/status-codes.ts';
import { keyId } from './builder.ts';
import { AT_MS, EID, type Hierarchy, type Node } from './hierarchy.ts';

export type Verdict = 'accepted' | StatusName;

/** What a check refuses with; anything else than a Refusal fails the test. */
export function verdict(check: () => unknown): Verdict {
  try {
    check();
    return 'accepted';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

export interface VerifyOptions {
  readonly atMs?: number;
  readonly eid?: string;
  readonly policy?: RevocationPolicy;
  /** Which selection of the trust store has the CI; both by default. */
  readonly trusted?: 'signing' | 'verification';
  readonly ciPkId?: Bytes;
  /** Of the signing key of an SM-DPf chain, where it is not the one of the certificate. */
  readonly spki?: Bytes;
  /** Is the CI certificate sent along at the end? */
  readonly withRoot?: boolean;
}

export function trustOf(pki: Hierarchy, trusted?: 'signing' | 'verification'): TrustStore {
  const cis = [pki.certificates.ci!];
  return new TrustStore({
    forSigning: trusted === 'verification' ? [] : cis,
    forVerification: trusted === 'signing' ? [] : cis,
  });
}

export function listsOf(pki: Hierarchy, policy?: RevocationPolicy): RevocationLists {
  const lists = new RevocationLists(policy);
  for (const { issuer, der } of pki.crls)
    lists.add(der, decodeCertificate(pki.unbroken[issuer]!, 'crlInvalid'), AT_MS);
  return lists;
}

const derOf = (pki: Hierarchy, nodes: readonly Node[]): Bytes[] =>
  nodes.map((node) => pki.certificates[node]!);

export function eumOf(pki: Hierarchy, options: VerifyOptions = {}): VerifiedEum {
  return verifyEumChain({
    eumChain: derOf(pki, pki.chains.euicc.slice(1, options.withRoot ? undefined : -1)),
    ciPkId: options.ciPkId ?? keyId(pki.keys.ci.point),
    trust: trustOf(pki, options.trusted),
    crls: listsOf(pki, options.policy),
    atMs: options.atMs ?? AT_MS,
  });
}

export function verifyEuiccSide(pki: Hierarchy, options: VerifyOptions = {}): void {
  eumOf(pki, options).verifyEuicc(pki.certificates.euicc!, options.eid ?? EID);
}

export function verifyDpSide(pki: Hierarchy, options: VerifyOptions = {}): string {
  const { smdpOid } = verifyDpChain({
    chain: derOf(pki, pki.chains.dp.slice(0, options.withRoot ? undefined : -1)),
    ciPkId: options.ciPkId ?? keyId(pki.keys.ci.point),
    spki: options.spki ?? pki.keys.dpPb.spki,
    trust: trustOf(pki, options.trusted),
    crls: listsOf(pki, options.policy),
    atMs: options.atMs ?? AT_MS,
  });
  return smdpOid;
}
