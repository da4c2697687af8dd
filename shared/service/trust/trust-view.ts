import { type Bytes, toHex } from '../../codec/bytes.ts';
import type { Suite } from '../../crypto/suite.ts';
import { invariant, Refusal, refuse } from '../../errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { selectDpChain, type VerifiedDp, type VerifiedEum, verifyEumChain } from '../../pki/chain.ts';
import { singleAttribute } from '../../pki/name.ts';
import { OID } from '../../pki/oids.ts';
import type { RevocationGap, RevocationLists } from '../../pki/revocation.ts';
import type { TrustStore } from '../../pki/trust-store.ts';
import type { EuiccRecord } from '../records/euicc.ts';
import { ledgerKeys } from '../records/keys.ts';
import type { EumRecord } from '../records/trust.ts';

/** One of our DPpb chains, verified, with the key that signs for it. */
export interface DpBinding extends VerifiedDp {
  readonly keyUri: string;
}

/** An EUM chain that holds now, of an EUM on the allow-list. */
export interface TrustedEum {
  readonly verified: VerifiedEum;
  readonly record: EumRecord;
  /** organizationName of the EUM certificate's subject. */
  readonly organization: string;
}

/**
 * Something that people must look at: a line of the operator's log whose event begins with `alarm.`. Identifiers and
 * codes only. A view tells the same thing once; it is told again while it lasts, since views are short-lived.
 */
export type Alarm = (
  event: `alarm.${string}`,
  about: Readonly<Record<string, string | readonly string[]>>,
) => void;

export interface TrustViewFields {
  readonly epoch: number;
  readonly loadedAt: number;
  readonly store: TrustStore;
  readonly crls: RevocationLists;
  readonly dpBindings: readonly DpBinding[];
  /** Why configured certificates are not used. */
  readonly unusable: readonly string[];
  /** Filled as certificates are checked. */
  readonly gaps: ReadonlyMap<string, RevocationGap>;
  readonly eums: ReadonlyMap<string, EumRecord>;
  /** For the certificates of eUICCs, of which some are made or end while the view is in use. */
  readonly now: () => number;
}

/**
 * What is trusted at one moment: roots, EUMs, revocations, our own certificates. A view never changes. When anything
 * it is made of changes, the epoch moves on; chunk commits lean on the epoch, so nothing is bound on an old view.
 */
export class TrustView {
  /** Ledger revision of the epoch item; 0 when nothing was ever configured. */
  readonly epoch: number;
  readonly loadedAt: number;
  readonly store: TrustStore;
  readonly crls: RevocationLists;
  /** Usable now, newest first. */
  readonly dpBindings: readonly DpBinding[];
  readonly #ledger: Ledger;
  readonly #fields: TrustViewFields;
  readonly #alarm: Alarm;
  readonly #chains = new Map<string, Promise<TrustedEum>>();

  constructor(ledger: Ledger, fields: TrustViewFields, alarm: Alarm) {
    this.#ledger = ledger;
    this.#fields = fields;
    this.#alarm = alarm;
    this.epoch = fields.epoch;
    this.loadedAt = fields.loadedAt;
    this.store = fields.store;
    this.crls = fields.crls;
    this.dpBindings = fields.dpBindings;
  }

  /** Why configured certificates are not used, and which needed lists were found missing so far. */
  get problems(): readonly string[] {
    const { unusable, gaps } = this.#fields;
    return [
      ...unusable,
      ...[...gaps.values()].map(
        ({ kind, issuerKeyId }) => `the revocation list of ${issuerKeyId} is ${kind}`,
      ),
    ];
  }

  /** Where the lists that were found missing or expired can be fetched. */
  get missedDistributionPoints(): readonly string[] {
    return [...this.#fields.gaps.values()].flatMap(({ distributionPoints }) => distributionPoints);
  }

  /** Verifies an EUM chain and that the EUM is on the allow-list (GENS14, EUMS01). */
  verifyEum(eumChain: readonly Bytes[], ciPkId: Bytes): TrustedEum {
    const verified = verifyEumChain({
      eumChain,
      ciPkId,
      trust: this.store,
      crls: this.crls,
      atMs: this.loadedAt,
      now: this.#fields.now,
    });
    const record = this.#fields.eums.get(verified.eumKeyId);
    if (record === undefined) {
      refuse('eumNotAllowed', 'the EUM is not on the allow-list', { subjectIdentifier: verified.eumKeyId });
    }
    return {
      verified,
      record,
      organization: singleAttribute(verified.eum.subject.attributes, OID.organizationName) ?? '',
    };
  }

  /** Refuses an eUICC whose EUM chain, EUM or certificate does not hold now (I6). */
  async requireTrusted(euicc: EuiccRecord, certificate: Bytes): Promise<TrustedEum> {
    if (euicc.revokedAt !== undefined)
      refuse('euiccCertificateExpired', 'the eUICC was revoked on this server');
    const eum = await this.eumOf(euicc.eumChain, Buffer.from(euicc.ciPkId, 'hex'));
    eum.verified.recheckEuicc(certificate);
    return eum;
  }

  /** The EUM chain with this SHA-256, verified under this view once; an alarm where it no longer holds. */
  eumOf(chainHash: string, ciPkId: Bytes): Promise<TrustedEum> {
    let chain = this.#chains.get(chainHash);
    if (chain === undefined) {
      chain = this.#verifyStored(chainHash, ciPkId);
      this.#chains.set(chainHash, chain);
    }
    return chain;
  }

  async #verifyStored(chainHash: string, ciPkId: Bytes): Promise<TrustedEum> {
    const item = await this.#ledger.get(ledgerKeys.eumChain(chainHash));
    invariant(item !== undefined, 'an eUICC names an EUM chain that is not stored');
    try {
      return this.verifyEum(item.attributes.certificates as Bytes[], ciPkId);
    } catch (error) {
      if (error instanceof Refusal)
        this.#alarm('alarm.eum.refused', {
          eumChain: chainHash,
          ci: toHex(ciPkId),
          code: error.code,
          message: error.message,
        });
      throw error;
    }
  }

  /** Our chain for an eUICC of this suite that verifies under these CIs (EUICCInfo2 A9). */
  dpBindingFor(suite: Suite, ciPkIds: readonly Bytes[]): DpBinding {
    return selectDpChain(this.dpBindings, ciPkIds, suite.name);
  }
}
