import { type Bytes, toHex } from '../codec/bytes.ts';
import { checkEid } from '../codec/eid.ts';
import type { Curve, PublicKey } from '../crypto/curves.ts';
import { refuse } from '../errors.ts';
import { type Certificate, decodeStanding } from './certificate.ts';
import { CertificatesAlike } from './certificates-alike.ts';
import type { ChainCodes } from './chain-codes.ts';
import { checkEidWithin, type EidLimits, eidLimitsOf } from './eid-limit.ts';
import { singleAttribute } from './name.ts';
import { OID } from './oids.ts';
import {
  checkMayIssue,
  checkSigningLeaf,
  checkValidity,
  columnOf,
  decodeChain,
  type PathContext,
  type Variant,
  verifyIssued,
  verifyToAnchor,
} from './path.ts';
import type { RevocationLists } from './revocation.ts';
import { type RoleColumn, roleOf } from './roles.ts';
import type { TrustStore } from './trust-store.ts';

const EUM: ChainCodes = { invalid: 'eumCertificateInvalid', expired: 'eumCertificateExpired' };
const EUICC: ChainCodes = { invalid: 'euiccCertificateInvalid', expired: 'euiccCertificateExpired' };

/** Roles from the issuer of eUICCs up to below the CI. */
const ORDERS = new Map<string, 'O' | 'A' | 'B' | 'C'>([
  ['eum', 'O'],
  ['eumSubCa < eum', 'A'],
  ['eum < ciSubCa', 'B'],
  ['eumSubCa < eum < ciSubCa', 'C'],
]);

export interface EumChainInput {
  /** DER certificates, the issuer of the eUICCs first; the CI may follow at the end. */
  readonly eumChain: readonly Bytes[];
  /** SubjectKeyIdentifier of the root CI's key. */
  readonly ciPkId: Bytes;
  readonly trust: TrustStore;
  readonly crls: RevocationLists;
  /** Undefined where only revocation and trust are asked: see `PathContext`. */
  readonly atMs: number | undefined;
  /** The time at which certificates of eUICCs are looked at, where the verified chain is kept for a while; default `atMs`. */
  readonly now?: () => number;
}

/**
 * Verifies an EUM's chain (SGP.22 section 4.5.2.2) up to a CI trusted for signing.
 * Refuses: `ciUnknown` 8.11.1/3.9, `eumCertificateInvalid` 8.1.2/6.1, `eumCertificateExpired` 8.1.2/6.3 (expired, not
 * yet valid, revoked), `crlMissing` 8.11.1/6.3, `securityConfiguration` 8.8.2/3.1 (curve), `protocolFormat` 1.3.1/2.1.
 */
export function verifyEumChain({ now, ...input }: EumChainInput): VerifiedEum {
  const { eumChain, ciPkId, trust, crls, atMs } = input;
  const anchors = trust.anchorsForSigning(ciPkId);
  const chain = decodeChain(eumChain, anchors, EUM);
  const { column, variant } = columnOf(chain, ORDERS, EUM);
  const ci = verifyToAnchor(chain, anchors, { crls, atMs, codes: EUM });
  checkMayIssue(chain[0]!, EUM);
  const eums = chain.filter((certificate) => roleOf(certificate, EUM.invalid).role !== 'ciSubCa');
  return new VerifiedEum({
    ci,
    chain,
    eum: eums.at(-1)!,
    column,
    variant,
    limits: eidLimitsOf(eums, EUM.invalid),
    context: {
      crls,
      codes: EUICC,
      get atMs() {
        return now?.() ?? atMs;
      },
    },
  });
}

export interface VerifiedEuicc {
  readonly eid: string;
  readonly certificate: Certificate;
  /** PK.EUICC.ECDSA, for proofs and results. */
  readonly publicKey: PublicKey;
}

interface VerifiedEumFields {
  readonly ci: Certificate;
  readonly chain: readonly Certificate[];
  readonly eum: Certificate;
  readonly column: RoleColumn;
  readonly variant: Variant;
  readonly limits: EidLimits;
  readonly context: PathContext;
}

/** An EUM chain that held at one moment and under the lists of that moment. Verify it again rather than keep it. */
export class VerifiedEum {
  readonly ci: Certificate;
  /** The issuer of the eUICCs first, without the CI. */
  readonly chain: readonly Certificate[];
  /** The certificate with role EUM, which an allow-list names. */
  readonly eum: Certificate;
  readonly variant: Variant;
  readonly curve: Curve;
  readonly #column: RoleColumn;
  readonly #limits: EidLimits;
  readonly #context: PathContext;
  /** Reads the certificates that the issuer makes one after the other. */
  readonly #euiccs = new CertificatesAlike();

  constructor(fields: VerifiedEumFields) {
    this.ci = fields.ci;
    this.chain = fields.chain;
    this.eum = fields.eum;
    this.variant = fields.variant;
    this.curve = fields.ci.curve;
    this.#column = fields.column;
    this.#limits = fields.limits;
    this.#context = fields.context;
  }

  /** SubjectKeyIdentifier of the EUM certificate, hexadecimal: what names an EUM on an allow-list. */
  get eumKeyId(): string {
    return toHex(this.eum.extensions.subjectKeyIdentifier!);
  }

  /** The certificate that issues the eUICCs: EUM or EUM SubCA. */
  get issuer(): Certificate {
    return this.chain[0]!;
  }

  /**
   * Verifies the certificate of the eUICC with this EID. Refuses: `eidMalformed` 8.1.1/2.1,
   * `euiccCertificateInvalid` 8.1.3/6.1, `euiccCertificateExpired` 8.1.3/6.3, `eidOutsideEumRange` 8.1.2/6.1,
   * `crlMissing`, `securityConfiguration`, `protocolFormat`.
   */
  verifyEuicc(certificateDer: Bytes, eid: string): VerifiedEuicc {
    checkEid(eid);
    const certificate = this.#euiccs.decode(certificateDer, EUICC.invalid);
    checkSigningLeaf(certificate, 'euicc', this.#column, EUICC.invalid);
    const { attributes } = certificate.subject;
    if (singleAttribute(attributes, OID.serialNumber) !== eid)
      refuse(EUICC.invalid, 'the eUICC certificate is for another EID', { subjectIdentifier: eid });
    checkEidWithin(this.#limits, eid, attributes);
    verifyIssued(certificate, this.issuer, 0, this.#context);
    return { eid, certificate, publicKey: certificate.publicKey };
  }

  /**
   * For a certificate that `verifyEuicc` accepted earlier under the same issuer: is it still valid, where the chain was
   * verified at a time, and not revoked? No signature is verified again. Refuses `euiccCertificateExpired`, `crlMissing`.
   */
  recheckEuicc(certificateDer: Bytes): void {
    const certificate = decodeStanding(certificateDer);
    checkValidity(certificate, this.#context);
    this.#context.crls.check(certificate, this.issuer, this.#context.atMs, EUICC);
  }
}
