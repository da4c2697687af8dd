import { type Bytes, toHex } from '../../codec/bytes.ts';
import { checkEid } from '../../codec/eid.ts';
import { Refusal, refuse } from '../../errors.ts';
import { asRead, becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Item, ItemKey, Write } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { type Certificate, decodeCertificate } from '../../pki/certificate.ts';
import { type VerifiedDp, verifyDpChain } from '../../pki/chain.ts';
import { type Crl, decodeCrl } from '../../pki/crl.ts';
import { type RevocationGap, RevocationLists, type RevocationPolicy } from '../../pki/revocation.ts';
import { roleOf } from '../../pki/roles.ts';
import { TrustStore } from '../../pki/trust-store.ts';
import type { CrlTaken } from '../api/admin.ts';
import type { AuditAbout, AuditEvent } from '../audit/events.ts';
import { type AuditLine, auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { euiccRecord } from '../records/euicc.ts';
import { ledgerKeys, partitions } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import {
  ciRecord,
  crlRecord,
  type DpPbRecord,
  dpPbRecord,
  type EumRecord,
  eumRecord,
  trustEpochRecord,
  trustPolicyRecord,
} from '../records/trust.ts';
import { crlIssuer, eumsRevokedBy } from './crl-issuer.ts';
import { storedEumChains } from './eum-chains.ts';
import { chainsOf, crlItems, dpName, ofKind, policyOf, sha256, storeOf } from './trust-items.ts';
import { type DpBinding, TrustView } from './trust-view.ts';

export { type DpBinding, type TrustedEum, TrustView } from './trust-view.ts';

/** A view older than this is loaded afresh even if the epoch stands: certificates and lists expire by themselves. */
const VIEW_LIFETIME_MS = 30_000;

/** For looking for the issuer of a list: a list of its own issuer may still be on its way. */
const ACCEPT_WITHOUT_LIST: RevocationPolicy = { missing: 'accept', expired: 'accept' };

/** The trust configuration as it is stored. */
export interface TrustListing {
  readonly epoch: number;
  readonly policy: RevocationPolicy;
  readonly cis: readonly { keyId: string; forSigning: boolean; forVerification: boolean }[];
  readonly eums: readonly { keyId: string; party: string }[];
  readonly dpPbs: readonly {
    sha256: string;
    keyUri: string;
    ciPkId: string;
    state: DpPbRecord['state'];
    installedAt: Date;
  }[];
  readonly crls: readonly {
    issuerKeyId: string;
    number: bigint;
    nextUpdate: Date;
    revoked: number;
    expired: boolean;
  }[];
  /** What is not usable now, and why. */
  readonly problems: readonly string[];
}

/** The trust configuration: one ledger partition, every change of which moves the epoch in the same transaction. */
export class Trust {
  readonly #context: Context;
  readonly #decodedLists = new Map<string, Crl>();
  #view: TrustView | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** The view of this moment: reads the epoch, and the rest only if it moved or the view has aged. */
  async current(): Promise<TrustView> {
    const epoch = (await this.#context.ledger.get(ledgerKeys.trustEpoch))?.revision ?? 0;
    const view = this.#view;
    // a clock that was set back makes an old view look fresh: both ways it has aged
    const age = view === undefined ? 0 : Math.abs(this.#context.now() - view.loadedAt);
    if (view?.epoch === epoch && age < VIEW_LIFETIME_MS) return view;
    const loaded = await this.#load(epoch);
    this.#view = loaded;
    return loaded;
  }

  async addCi(
    certificate: Bytes,
    use: { forSigning: boolean; forVerification: boolean },
    by: string,
  ): Promise<string> {
    new TrustStore({ forSigning: [certificate], forVerification: [] });
    const keyId = toHex(decodeCertificate(certificate, 'ciUnknown').extensions.subjectKeyIdentifier!);
    await this.#put(ledgerKeys.trust('ci', keyId), ciRecord.to({ certificate, ...use }), {
      event: 'trust.ci.added',
      by,
      about: { ci: keyId },
    });
    return keyId;
  }

  /**
   * Nothing under this CI is trusted any more: no eUICC of it, and no binding certificate of ours. Refuses one that is
   * not trusted, which may be a typing error.
   */
  async removeCi(keyId: string, by: string): Promise<void> {
    const key = ledgerKeys.trust('ci', keyId);
    if ((await this.#context.ledger.get(key)) === undefined)
      refuse('ciUnknown', 'this CI is not trusted', { subjectIdentifier: keyId });
    await this.#put(key, undefined, { event: 'trust.ci.removed', by, about: { ci: keyId } });
  }

  /** `eumCertificate` is the one with role EUM; the allow-list names its key. */
  async allowEum(eumCertificate: Bytes, eum: Omit<EumRecord, 'certificate'>, by: string): Promise<string> {
    const certificate = decodeCertificate(eumCertificate, 'eumCertificateInvalid');
    const { role } = roleOf(certificate, 'eumCertificateInvalid');
    if (role !== 'eum') refuse('eumCertificateInvalid', `the certificate has the role ${role}, not EUM`);
    const { subjectKeyIdentifier } = certificate.extensions;
    if (subjectKeyIdentifier === undefined)
      refuse('eumCertificateInvalid', 'the EUM certificate has no SubjectKeyIdentifier');
    const keyId = toHex(subjectKeyIdentifier);
    const record = eumRecord.to({ ...eum, certificate: eumCertificate });
    await this.#put(ledgerKeys.trust('eum', keyId), record, {
      event: 'trust.eum.allowed',
      by,
      about: { eum: keyId },
    });
    return keyId;
  }

  /** Takes an EUM off the allow-list: its unbound keys stop at once. Refuses one that is not on it. */
  async revokeEum(keyId: string, by: string): Promise<void> {
    const key = ledgerKeys.trust('eum', keyId);
    if ((await this.#context.ledger.get(key)) === undefined)
      refuse('eumNotAllowed', 'the EUM is not on the allow-list', { subjectIdentifier: keyId });
    await this.#put(key, undefined, { event: 'trust.eum.revoked', by, about: { eum: keyId } });
  }

  /**
   * Stops one eUICC on this server for good: its unbound keys are never bound, and what is bound and not delivered
   * is withheld. For EUMs that sign no revocation lists (Variant O).
   */
  async revokeEuicc(eid: string, by: string): Promise<void> {
    checkEid(eid);
    await this.#change({ event: 'trust.euicc.revoked', by, about: { eid } }, async () => {
      const item = await this.#context.ledger.get(ledgerKeys.euicc(eid));
      if (item === undefined)
        refuse('eidUnknown', 'no data is registered for this EID', { subjectIdentifier: eid });
      const euicc = euiccRecord.from(item);
      if (euicc.revokedAt !== undefined) return undefined;
      const attributes = euiccRecord.to({ ...euicc, revokedAt: this.#context.now() });
      return [{ put: item, attributes, when: { revision: item.revision } }];
    });
  }

  /** What happens where a needed list is missing or expired; both are refused unless told otherwise. */
  async setPolicy(revocation: RevocationPolicy, by: string): Promise<void> {
    const { missing, expired } = revocation;
    await this.#put(ledgerKeys.trustPolicy, trustPolicyRecord.to({ revocation }), {
      event: 'trust.policy.set',
      by,
      about: { missing, expired },
    });
  }

  /** Verifies chain and key before anything is stored. */
  async installDpPb(dp: Omit<DpPbRecord, 'state' | 'installedAt'>, by: string): Promise<VerifiedDp> {
    const view = await this.current();
    const { publicKey: spki } = await this.#context.keyRing.binding(dp.keyUri);
    const { store: trust, crls } = view;
    const { ciPkId } = dp;
    const atMs = this.#context.now();
    const verified = verifyDpChain({ chain: dp.certificates, ciPkId, spki, trust, crls, atMs });
    const record: DpPbRecord = { ...dp, state: 'active', installedAt: this.#context.now() };
    const name = dpName(dp);
    await this.#put(ledgerKeys.trust('dppb', name), dpPbRecord.to(record), {
      event: 'trust.dppb.installed',
      by,
      about: { certificate: name },
    });
    return verified;
  }

  /** `name`: hexadecimal SHA-256 of the certificate. */
  async retireDpPb(name: string, by: string): Promise<void> {
    const key = ledgerKeys.trust('dppb', name);
    const item = await this.#context.ledger.get(key);
    if (item === undefined)
      refuse('noDpChain', 'this certificate is not installed', { subjectIdentifier: name });
    const retired = dpPbRecord.to({ ...dpPbRecord.from(item), state: 'retired' });
    await this.#put(key, retired, { event: 'trust.dppb.retired', by, about: { certificate: name } });
  }

  /**
   * Takes in a revocation list. Its issuer is looked for by AuthorityKeyIdentifier among the trusted CIs, our own
   * chains, the EUMs of the allow-list, every EUM chain accepted so far, and `chains` (the list's issuer first, up to
   * below the CI), and must itself verify up to a trusted CI. Lists that this one replaces go.
   */
  async addCrl(der: Bytes, chains: readonly (readonly Bytes[])[], by: string): Promise<CrlTaken> {
    const crl = decodeCrl(der);
    const issuerKeyId = toHex(crl.authorityKeyIdentifier);
    const object = await this.#context.vault.put(objectNames.crl(sha256(der)), der, { lock: true });
    let isNew = false;
    const about = { issuer: issuerKeyId, number: crl.cRLNumber.toString(), revoked: crl.revoked.size };
    await this.#change({ event: 'trust.crl.taken', by, about }, async () => {
      const items = await scanAll(this.#context.ledger, partitions.trust);
      const at = this.#context.now();
      const store = storeOf(items);
      const held = await this.#lists(items, at, ACCEPT_WITHOUT_LIST);
      const issuer = await crlIssuer(this.#context, crl, [...chains, ...chainsOf(items)], store, held);
      isNew = held.add(crl, issuer, at);
      if (!isNew) return undefined;
      const kept = new Set(held.lists.map(({ raw }) => sha256(raw)));
      const replaced = crlItems(items).filter((item) => !kept.has(crlRecord.from(item).object.sha256));
      return [
        {
          put: ledgerKeys.trust('crl', `${issuerKeyId}#${object.sha256}`),
          attributes: crlRecord.to({ object, issuer: issuer.raw, takenAt: at }),
          when: 'absent',
        },
        ...replaced.map((item): Write => ({ remove: item, when: { revision: item.revision } })),
      ];
    });
    const revokedEums = await eumsRevokedBy(this.#context, crl);
    if (isNew && revokedEums.length > 0)
      this.#context.log({ event: 'alarm.eum.revoked', issuer: issuerKeyId, eums: revokedEums });
    return { isNew, issuerKeyId, number: crl.cRLNumber, revoked: crl.revoked.size, revokedEums };
  }

  async list(): Promise<TrustListing> {
    const view = await this.current();
    const items = await scanAll(this.#context.ledger, partitions.trust);
    const named = (kind: string) =>
      ofKind(items, kind).map((item) => [item.sort.slice(kind.length + 1), item] as const);
    return {
      epoch: view.epoch,
      policy: policyOf(items),
      cis: named('ci').map(([keyId, item]) => {
        const { forSigning, forVerification } = ciRecord.from(item);
        return { keyId, forSigning, forVerification };
      }),
      eums: named('eum').map(([keyId, item]) => ({ keyId, party: eumRecord.from(item).party })),
      dpPbs: named('dppb').map(([name, item]) => {
        const { keyUri, ciPkId, state, installedAt } = dpPbRecord.from(item);
        return { sha256: name, keyUri, ciPkId: toHex(ciPkId), state, installedAt: new Date(installedAt) };
      }),
      crls: view.crls.lists.map((crl) => ({
        issuerKeyId: toHex(crl.authorityKeyIdentifier),
        number: crl.cRLNumber,
        nextUpdate: new Date(crl.nextUpdateMs),
        revoked: crl.revoked.size,
        expired: crl.nextUpdateMs < view.loadedAt,
      })),
      problems: view.problems,
    };
  }

  /**
   * Verifies every chain that is in use, so that a list about to be needed is missed, and its alarm raised, before
   * somebody waits for a profile. Returns the distribution points that their certificates name.
   */
  async inspect(): Promise<readonly string[]> {
    const view = await this.current();
    const points = new Set<string>(view.missedDistributionPoints);
    const collect = (chain: readonly Certificate[]) => {
      for (const { extensions } of chain)
        for (const point of extensions.cRLDistributionPoints ?? []) points.add(point);
    };
    for (const { chain } of view.dpBindings) collect(chain);
    for await (const { hash, certificates, ciPkId } of storedEumChains(this.#context.ledger)) {
      await view.eumOf(hash, ciPkId).catch(ignoreRefusal);
      collect(certificates.map((der) => decodeCertificate(der)));
    }
    for (const point of view.missedDistributionPoints) points.add(point);
    return [...points];
  }

  async #put<E extends AuditEvent, A extends AuditAbout<E>>(
    key: ItemKey,
    attributes: Item['attributes'] | undefined,
    line: AuditLine<E, A>,
  ): Promise<void> {
    await this.#change(line, async () => {
      const before = await this.#context.ledger.get(key);
      if (attributes === undefined) return before && [{ remove: key, when: { revision: before.revision } }];
      return [{ put: key, attributes, when: asRead(before) }];
    });
  }

  /** Plans on what is stored, and writes that together with the next epoch; again where somebody was faster. */
  async #change<E extends AuditEvent, A extends AuditAbout<E>>(
    line: AuditLine<E, A>,
    plan: () => Promise<readonly Write[] | undefined>,
  ): Promise<void> {
    const { ledger, now } = this.#context;
    await changeItem(ledger, ledgerKeys.trustEpoch, async (epoch) => {
      const changes = await plan();
      if (changes === undefined) return unchanged();
      const moved = (epoch === undefined ? 0 : trustEpochRecord.from(epoch).moved) + 1;
      return becomes(trustEpochRecord.to({ moved }), undefined, [
        ...changes,
        auditWrite(line, `trust-${moved}`, now()),
      ]);
    });
  }

  async #load(epoch: number): Promise<TrustView> {
    const items = await scanAll(this.#context.ledger, partitions.trust);
    const at = this.#context.now();
    const store = storeOf(items);
    const gaps = new Map<string, RevocationGap>();
    const crls = await this.#lists(items, at, policyOf(items), (gap) => {
      const name = `${gap.kind} ${gap.issuerKeyId}`;
      if (gaps.has(name)) return;
      gaps.set(name, gap);
      const { kind, issuerKeyId, distributionPoints } = gap;
      this.#context.log({ event: `alarm.crl.${kind}`, issuer: issuerKeyId, distributionPoints });
    });

    const unusable: string[] = [];
    const dpBindings: DpBinding[] = [];
    const dps = ofKind(items, 'dppb')
      .map(dpPbRecord.from)
      .filter(({ state }) => state === 'active');
    for (const dp of dps.sort((a, b) => b.installedAt - a.installedAt)) {
      try {
        // no key is asked for: a token that is away must not stop those who need no signature of it
        const { ciPkId, certificates: chain, keyUri } = dp;
        dpBindings.push({ ...verifyDpChain({ chain, ciPkId, trust: store, crls, atMs: at }), keyUri });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        unusable.push(`binding certificate ${dpName(dp).slice(0, 16)}: ${error.message}`);
        this.#context.log({ event: 'alarm.dppb.unusable', certificate: dpName(dp), code: error.code });
      }
    }
    const eums = new Map(
      ofKind(items, 'eum').map((item) => [item.sort.slice('eum#'.length), eumRecord.from(item)]),
    );
    const { now } = this.#context;
    const fields = { epoch, loadedAt: at, store, crls, dpBindings, unusable, gaps, eums, now };
    return new TrustView(this.#context.ledger, fields, this.#context.log);
  }

  async #lists(
    items: readonly Item[],
    at: number,
    policy: RevocationPolicy,
    onGap?: (gap: RevocationGap) => void,
  ): Promise<RevocationLists> {
    const lists = new RevocationLists(policy, onGap);
    for (const item of crlItems(items)) {
      const { object, issuer } = crlRecord.from(item);
      let crl = this.#decodedLists.get(object.sha256);
      if (crl === undefined) {
        crl = decodeCrl(await this.#context.vault.get(object));
        this.#decodedLists.set(object.sha256, crl);
      }
      try {
        lists.add(crl, decodeCertificate(issuer, 'crlInvalid'), at);
      } catch (error) {
        // a clock that went back: the list counts as missing, which the policy decides
        ignoreRefusal(error);
      }
    }
    return lists;
  }
}

function ignoreRefusal(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error;
  return undefined;
}
