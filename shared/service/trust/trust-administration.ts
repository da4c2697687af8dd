import { type Bytes, toHex } from '../../codec/bytes.ts';
import { checkEid } from '../../codec/eid.ts';
import { refuse } from '../../errors.ts';
import { asRead, becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Item, ItemKey, Write } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { type VerifiedDp, verifyDpChain } from '../../pki/chain.ts';
import { decodeCrl } from '../../pki/crl.ts';
import type { RevocationPolicy } from '../../pki/revocation.ts';
import { decodeCi } from '../../pki/trust-store.ts';
import type { Actor } from '../api/actor.ts';
import type { CrlTaken } from '../api/admin.ts';
import type { AuditAbout, AuditEvent } from '../audit/events.ts';
import { type AuditLine, auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { requireBegun } from '../dual-control/dual-control.ts';
import type { GuardedAction } from '../records/dual-control.ts';
import { euiccRecord } from '../records/euicc.ts';
import { ledgerKeys, partitions } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import {
  ciRecord,
  crlRecord,
  type DpPbRecord,
  dpPbRecord,
  eumRecord,
  trustEpochRecord,
  trustPolicyRecord,
} from '../records/trust.ts';
import {
  type CiCertificate,
  type CiUse,
  ciCertificates,
  decodeEum,
  type EumTerms,
  withCertificate,
  withUse,
} from './anchors.ts';
import { crlIssuer, eumsRevokedBy } from './crl-issuer.ts';
import { epochCopyWrites } from './epoch-copies.ts';
import type { Trust } from './trust.ts';
import { chainsOf, ciName, crlItems, dpName, eumName, ofKind, sha256, storeOf } from './trust-items.ts';

/** For looking for the issuer of a list: a list of its own issuer may still be on its way. */
const ACCEPT_WITHOUT_LIST: RevocationPolicy = { missing: 'accept', expired: 'accept' };

/** What became of a CI certificate that was to be trusted. */
export interface CiAdded {
  readonly ci: CiCertificate;
  /** False where it was trusted for that already, and nothing changed. */
  readonly isNew: boolean;
  /** The other certificates of the same key that are trusted. */
  readonly besides: readonly CiCertificate[];
}

export interface CiRemoved {
  readonly keyId: string;
  readonly removed: readonly CiCertificate[];
  /** Certificates of the same key that are trusted still. */
  readonly left: readonly CiCertificate[];
}

/** What changes the trust configuration: every change moves the epoch in the same transaction. */
export class TrustAdministration {
  readonly #context: Context;
  readonly #trust: Trust;

  constructor(context: Context, trust: Trust) {
    this.#context = context;
    this.#trust = trust;
  }

  /**
   * Trusts a CI certificate beside those that are trusted already, of the same key or another: an add takes nothing away.
   * One that is there keeps the uses that it has.
   */
  async addCi(certificate: Bytes, use: CiUse, by: Actor): Promise<CiAdded> {
    await this.#begun('trust.add', sha256(certificate), by);
    const ci = decodeCi(certificate);
    const key = ledgerKeys.trust('ci', ciName(ci));
    const keyId = toHex(ci.extensions.subjectKeyIdentifier!);
    const about = { ci: keyId, certificate: sha256(certificate) };
    let isNew = false;
    await this.#change({ event: 'trust.ci.added', by, about }, async () => {
      const before = await this.#context.ledger.get(key);
      const record = withUse(before && ciRecord.from(before), certificate, use);
      isNew = record !== undefined;
      return record && [{ put: key, attributes: ciRecord.to(record), when: asRead(before) }];
    });
    const ofKey = (await this.#cis()).filter((one) => one.keyId === keyId);
    const isOwn = (one: CiCertificate) => one.sha256 === about.certificate;
    return { isNew, ci: ofKey.find(isOwn)!, besides: ofKey.filter((one) => !isOwn(one)) };
  }

  /**
   * Nothing under this CI is trusted any more: no eUICC of it, and no binding certificate of ours. `name`: a key
   * identifier for every certificate of the CI, or the SHA-256 of a certificate, hexadecimal, for that one alone. Refuses one
   * that is not trusted, which may be a typing error.
   */
  async removeCi(name: string, by: Actor): Promise<CiRemoved> {
    await this.#begun('trust.remove', name, by);
    const all = await this.#cis();
    const byKey = all.filter(({ keyId }) => keyId === name);
    const removed = byKey.length > 0 ? byKey : all.filter((one) => one.sha256 === name);
    const [first] = removed;
    if (first === undefined) refuse('ciUnknown', 'this CI is not trusted', { subjectIdentifier: name });
    const about = { ci: first.keyId, ...(byKey.length === 0 && { certificate: name }) };
    await this.#change({ event: 'trust.ci.removed', by, about }, async () => {
      const items = await scanAll(this.#context.ledger, partitions.trust);
      return removals(ofKind(items, byKey.length > 0 ? `ci#${name}` : `ci#${first.keyId}#${name}`));
    });
    const left = (await this.#cis()).filter(({ keyId }) => keyId === first.keyId);
    return { keyId: first.keyId, removed, left };
  }

  async #cis(): Promise<CiCertificate[]> {
    return ciCertificates(await scanAll(this.#context.ledger, partitions.trust));
  }

  /**
   * `eumCertificate` is one with role EUM; the allow-list is of its key, under whichever name of a CI it is certified. Terms
   * are as they are said last; see `withCertificate`.
   */
  async allowEum(eumCertificate: Bytes, terms: EumTerms, by: Actor): Promise<string> {
    await this.#begun('trust.add', sha256(eumCertificate), by);
    const certificate = decodeEum(eumCertificate);
    const key = ledgerKeys.trust('eum', eumName(certificate));
    const keyId = toHex(certificate.extensions.subjectKeyIdentifier!);
    await this.#change({ event: 'trust.eum.allowed', by, about: { eum: keyId } }, async () => {
      const before = await this.#context.ledger.get(key);
      const record = withCertificate(before && eumRecord.from(before), eumCertificate, terms);
      return [{ put: key, attributes: eumRecord.to(record), when: asRead(before) }];
    });
    return keyId;
  }

  /** Takes an EUM off the allow-list: its unbound keys stop at once. Refuses one that is not on it. */
  async revokeEum(keyId: string, by: Actor): Promise<void> {
    await this.#begun('trust.remove', keyId, by);
    await this.#change({ event: 'trust.eum.revoked', by, about: { eum: keyId } }, async () => {
      const items = await scanAll(this.#context.ledger, partitions.trust);
      return (
        removals(ofKind(items, `eum#${keyId}`)) ??
        refuse('eumNotAllowed', 'the EUM is not on the allow-list', { subjectIdentifier: keyId })
      );
    });
  }

  /**
   * Stops one eUICC on this server for good: its unbound keys are never bound, and what is bound and not delivered
   * is withheld. For EUMs that sign no revocation lists (Variant O).
   */
  async revokeEuicc(eid: string, by: Actor): Promise<void> {
    await this.#begun('trust.remove', eid, by);
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
  async setPolicy(revocation: RevocationPolicy, by: Actor): Promise<void> {
    await this.#begun('trust.add', policySubject(revocation), by);
    const { missing, expired } = revocation;
    await this.#put(ledgerKeys.trustPolicy, trustPolicyRecord.to({ revocation }), {
      event: 'trust.policy.set',
      by,
      about: { missing, expired },
    });
  }

  /** Verifies chain and key before anything is stored. */
  async installDpPb(dp: Omit<DpPbRecord, 'state' | 'installedAt'>, by: Actor): Promise<VerifiedDp> {
    await this.#begun('key.install', dpName(dp), by);
    const view = await this.#trust.current();
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
  async retireDpPb(name: string, by: Actor): Promise<void> {
    await this.#begun('key.retire', name, by);
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
  async addCrl(der: Bytes, chains: readonly (readonly Bytes[])[], by: Actor): Promise<CrlTaken> {
    const crl = decodeCrl(der);
    const issuerKeyId = toHex(crl.authorityKeyIdentifier);
    const object = await this.#context.vault.put(objectNames.crl(sha256(der)), der, { lock: true });
    let isNew = false;
    const about = { issuer: issuerKeyId, number: crl.cRLNumber.toString(), revoked: crl.revoked.size };
    await this.#change({ event: 'trust.crl.taken', by, about }, async () => {
      const items = await scanAll(this.#context.ledger, partitions.trust);
      const at = this.#context.now();
      const store = storeOf(items);
      const held = await this.#trust.loader.lists(items, at, ACCEPT_WITHOUT_LIST);
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

  /** What takes two persons is begun by both before it is done. */
  #begun(action: GuardedAction, subject: string, by: Actor): Promise<void> {
    return requireBegun(this.#context.ledger, { action, subject }, by);
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
        ...(await epochCopyWrites(ledger, (epoch?.revision ?? 0) + 1)),
        auditWrite(line, `trust-${moved}`, now()),
      ]);
    });
  }
}

/** Takes away what was read; undefined where that is nothing. */
const removals = (items: readonly Item[]): Write[] | undefined =>
  items.length === 0 ? undefined : items.map((item) => ({ remove: item, when: { revision: item.revision } }));

/** What an approval of this policy is for. */
export const policySubject = ({ missing, expired }: RevocationPolicy) =>
  `missing ${missing}, expired ${expired}`;
