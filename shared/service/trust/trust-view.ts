import { type Bytes, toHex } from '../../codec/bytes.ts';
import type { Curve } from '../../crypto/curves.ts';
import { invariant, Refusal, refuse } from '../../errors.ts';
import { messageOf } from '../../events/error-record.ts';
import type { Log } from '../../events/log-events.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { selectDpChain, type VerifiedDp, type VerifiedEum, verifyEumChain } from '../../pki/chain.ts';
import { singleAttribute } from '../../pki/name.ts';
import { OID } from '../../pki/oids.ts';
import type { RevocationGap, RevocationLists } from '../../pki/revocation.ts';
import type { TrustStore } from '../../pki/trust-store.ts';
import type { EuiccRecord } from '../records/euicc.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type EumRecord, eumChainRecord } from '../records/trust.ts';
import { eumName } from './trust-items.ts';

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
  /** By `eumName`. */
  readonly eums: ReadonlyMap<string, EumRecord>;
  /** For the certificates of eUICCs, of which some are made or end while the view is in use. */
  readonly now: () => number;
}

/** Of a chain: that it holds now, or, for what was bound while it held, that nobody has revoked or removed it since. */
type Asked = 'holdsNow' | 'notWithdrawn';

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
  readonly #log: Log;
  readonly #chains = new Map<string, Promise<TrustedEum>>();

  constructor(ledger: Ledger, fields: TrustViewFields, log: Log) {
    this.#ledger = ledger;
    this.#fields = fields;
    this.#log = log;
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
  verifyEum(eumChain: readonly Bytes[], ciPkId: Bytes, asked: Asked = 'holdsNow'): TrustedEum {
    const { store: trust, crls } = this;
    const clock = asked === 'holdsNow' ? { atMs: this.loadedAt, now: this.#fields.now } : { atMs: undefined };
    const verified = verifyEumChain({ eumChain, ciPkId, trust, crls, ...clock });
    const record = this.#fields.eums.get(eumName(verified.eum));
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
    requireNotStopped(euicc);
    const eum = await this.eumOf(euicc.eumChain, Buffer.from(euicc.ciPkId, 'hex'));
    eum.verified.recheckEuicc(certificate);
    return eum;
  }

  /**
   * Refuses an eUICC, bound while all of it was valid, from which trust was taken away since: its EUM chain or its
   * certificate was revoked, its CI or EUM removed, or itself stopped on this server. Time alone takes none away.
   * `eumChain`: SHA-256 of the chain that was verified for the bind.
   */
  async requireNotWithdrawn(euicc: EuiccRecord, certificate: Bytes, eumChain: string): Promise<void> {
    requireNotStopped(euicc);
    const eum = await this.eumOf(eumChain, undefined, 'notWithdrawn');
    eum.verified.recheckEuicc(certificate);
  }

  /**
   * The EUM chain with this SHA-256, verified under this view once; an alarm where it no longer holds. `ciPkId`: of the root
   * that the eUICC has it under; the one that the chain was stored with where the eUICC may have another by now.
   */
  eumOf(chainHash: string, ciPkId: Bytes | undefined, asked: Asked = 'holdsNow'): Promise<TrustedEum> {
    const name = `${asked} ${chainHash}`;
    let chain = this.#chains.get(name);
    if (chain === undefined) {
      chain = this.#verifyStored(chainHash, ciPkId, asked);
      this.#chains.set(name, chain);
    }
    return chain;
  }

  async #verifyStored(chainHash: string, ofEuicc: Bytes | undefined, asked: Asked): Promise<TrustedEum> {
    const item = await this.#ledger.get(ledgerKeys.eumChain(chainHash));
    invariant(item !== undefined, 'an eUICC names an EUM chain that is not stored');
    const stored = eumChainRecord.from(item);
    const ciPkId = ofEuicc ?? stored.ciPkId;
    try {
      return this.verifyEum(stored.certificates, ciPkId, asked);
    } catch (error) {
      if (error instanceof Refusal)
        this.#log({
          event: 'alarm.eum.refused',
          eumChain: chainHash,
          ci: toHex(ciPkId),
          code: error.code,
          message: messageOf(error),
        });
      throw error;
    }
  }

  /** Our chain on this curve that an eUICC, whose own chain ends at `ownCi`, verifies under these CIs (EUICCInfo2 A9). */
  dpBindingFor(curve: Curve, ciPkIds: readonly Bytes[], ownCi: Certificate): DpBinding {
    return selectDpChain(this.dpBindings, ciPkIds, curve, ownCi.subject);
  }
}

function requireNotStopped({ revokedAt }: EuiccRecord): void {
  if (revokedAt !== undefined) refuse('euiccCertificateExpired', 'the eUICC was revoked on this server');
}
