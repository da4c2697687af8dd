import { createHash } from 'node:crypto';
import { type Bytes, equal, toHex } from '../codec/bytes.ts';
import type { Suite } from '../crypto/suite.ts';
import { invariant, Refusal, refuse } from '../errors.ts';
import type { Item, Write } from '../ledger/ledger.ts';
import { type Certificate, decodeCertificate } from '../pki/certificate.ts';
import {
  selectDpChain,
  type VerifiedDp,
  type VerifiedEum,
  verifyDpChain,
  verifyEumChain,
} from '../pki/chain.ts';
import { decodeCrl } from '../pki/crl.ts';
import { singleAttribute } from '../pki/name.ts';
import { OID } from '../pki/oids.ts';
import { REFUSE_WITHOUT_LIST, RevocationLists } from '../pki/revocation.ts';
import { TrustStore } from '../pki/trust-store.ts';
import { auditWrite } from './audit.ts';
import type { Context } from './context.ts';
import type { EuiccRecord } from './records/euicc.ts';
import { ledgerKeys } from './records/keys.ts';
import {
  ciRecord,
  crlRecord,
  type DpPbRecord,
  dpPbRecord,
  type EumRecord,
  eumRecord,
  trustPolicyRecord,
} from './records/trust.ts';

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

/** A view older than this is loaded afresh even if the epoch stands: certificates and lists expire by themselves. */
const VIEW_LIFETIME_MS = 30_000;

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
  /** Why other configured certificates and lists are not used. */
  readonly problems: readonly string[];
  readonly #context: Context;
  readonly #eums: ReadonlyMap<string, EumRecord>;
  readonly #chains = new Map<string, Promise<TrustedEum>>();

  constructor(
    context: Context,
    fields: Pick<TrustView, 'epoch' | 'loadedAt' | 'store' | 'crls' | 'dpBindings' | 'problems'> & {
      eums: ReadonlyMap<string, EumRecord>;
    },
  ) {
    this.#context = context;
    this.epoch = fields.epoch;
    this.loadedAt = fields.loadedAt;
    this.store = fields.store;
    this.crls = fields.crls;
    this.dpBindings = fields.dpBindings;
    this.problems = fields.problems;
    this.#eums = fields.eums;
  }

  /** Verifies an EUM chain and that the EUM is on the allow-list (GENS14, EUMS01). */
  verifyEum(eumChain: readonly Bytes[], ciPkId: Bytes): TrustedEum {
    const verified = verifyEumChain({
      eumChain,
      ciPkId,
      trust: this.store,
      crls: this.crls,
      atMs: this.loadedAt,
    });
    const record = this.#eums.get(verified.eumKeyId);
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
    const eum = await this.eumOf(euicc.eumChain, Buffer.from(euicc.ciPkId, 'hex'));
    eum.verified.recheckEuicc(certificate);
    return eum;
  }

  /** The EUM chain with this SHA-256, verified under this view once. */
  eumOf(chainHash: string, ciPkId: Bytes): Promise<TrustedEum> {
    let chain = this.#chains.get(chainHash);
    if (chain === undefined) {
      chain = this.#context.ledger.get(ledgerKeys.eumChain(chainHash)).then((item) => {
        invariant(item !== undefined, 'an eUICC names an EUM chain that is not stored');
        return this.verifyEum(item.attributes.certificates as Bytes[], ciPkId);
      });
      this.#chains.set(chainHash, chain);
    }
    return chain;
  }

  /** Our chain for an eUICC of this suite that verifies under these CIs (EUICCInfo2 A9). */
  dpBindingFor(suite: Suite, ciPkIds: readonly Bytes[]): DpBinding {
    return selectDpChain(this.dpBindings, ciPkIds, suite.name);
  }
}

/** The trust configuration: one ledger partition, every change of which moves the epoch in the same transaction. */
export class Trust {
  readonly #context: Context;
  #view: TrustView | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** The view of this moment: reads the epoch, and the rest only if it moved or the view has aged. */
  async current(): Promise<TrustView> {
    const epoch = (await this.#context.ledger.get(ledgerKeys.trustEpoch))?.revision ?? 0;
    const view = this.#view;
    if (view?.epoch === epoch && this.#context.now() - view.loadedAt < VIEW_LIFETIME_MS) return view;
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
    await this.#change('ci', keyId, ciRecord.to({ certificate, ...use }), by, 'trust.ci.added');
    return keyId;
  }

  /** `eumCertificate` is the one with role EUM; the allow-list names its key. */
  async allowEum(eumCertificate: Bytes, eum: EumRecord, by: string): Promise<string> {
    const keyId = decodeCertificate(eumCertificate, 'eumCertificateInvalid').extensions.subjectKeyIdentifier;
    if (keyId === undefined)
      refuse('eumCertificateInvalid', 'the EUM certificate has no SubjectKeyIdentifier');
    await this.#change('eum', toHex(keyId), eumRecord.to(eum), by, 'trust.eum.allowed');
    return toHex(keyId);
  }

  /** Takes an EUM off the allow-list: its unbound keys stop at once. */
  async revokeEum(keyId: string, by: string): Promise<void> {
    await this.#change('eum', keyId, undefined, by, 'trust.eum.revoked');
  }

  /** Verifies chain and key before anything is stored. */
  async installDpPb(dp: Omit<DpPbRecord, 'state' | 'installedAt'>, by: string): Promise<VerifiedDp> {
    const view = await this.current();
    const verified = await this.#verifyDp(dp, view.store, view.crls, this.#context.now());
    const record: DpPbRecord = { ...dp, state: 'active', installedAt: this.#context.now() };
    await this.#change('dppb', dpName(dp), dpPbRecord.to(record), by, 'trust.dppb.installed');
    return verified;
  }

  async retireDpPb(certificate: Bytes, by: string): Promise<void> {
    const name = dpName({ certificates: [certificate] });
    const item = await this.#context.ledger.get(ledgerKeys.trust('dppb', name));
    if (item === undefined)
      refuse('noDpChain', 'this certificate is not installed', { subjectIdentifier: name });
    await this.#change(
      'dppb',
      name,
      dpPbRecord.to({ ...dpPbRecord.from(item), state: 'retired' }),
      by,
      'trust.dppb.retired',
    );
  }

  /**
   * Takes in a revocation list. Its issuer is looked for by key identifier among the trusted CIs and the given
   * certificates (an EUM's chain). Returns whether it is new.
   */
  async addCrl(der: Bytes, issuers: readonly Certificate[], by: string): Promise<boolean> {
    const view = await this.current();
    const crl = decodeCrl(der);
    const candidates = [
      ...view.store.certificates,
      ...issuers,
      ...view.dpBindings.flatMap(({ chain }) => chain),
    ];
    const issuer = candidates.find(
      ({ extensions: { subjectKeyIdentifier } }) =>
        subjectKeyIdentifier !== undefined && equal(subjectKeyIdentifier, crl.authorityKeyIdentifier),
    );
    if (issuer === undefined)
      refuse('crlInvalid', 'the issuer of the list is not known', {
        subjectIdentifier: toHex(crl.authorityKeyIdentifier),
      });
    if (!view.crls.add(crl, issuer, this.#context.now())) return false;
    const name = `${toHex(crl.authorityKeyIdentifier)}#${sha256(der)}`;
    await this.#change(
      'crl',
      name,
      { ...crlRecord.to({ der, takenAt: this.#context.now() }), issuer: issuer.raw },
      by,
      'trust.crl.taken',
    );
    return true;
  }

  async #change(
    kind: Parameters<typeof ledgerKeys.trust>[0],
    name: string,
    attributes: Item['attributes'] | undefined,
    by: string,
    event: string,
  ): Promise<void> {
    const { ledger, now } = this.#context;
    for (;;) {
      const [epoch, before] = await ledger.getMany([ledgerKeys.trustEpoch, ledgerKeys.trust(kind, name)]);
      if (attributes === undefined && before === undefined) return;
      const when = before === undefined ? ('absent' as const) : { revision: before.revision };
      const key = ledgerKeys.trust(kind, name);
      const change: Write =
        attributes === undefined
          ? { remove: key, when: { revision: before!.revision } }
          : { put: key, attributes, when };
      const moved = Number(epoch?.attributes.moved ?? 0) + 1;
      const writes: Write[] = [
        change,
        {
          put: ledgerKeys.trustEpoch,
          attributes: { moved },
          when: epoch === undefined ? 'absent' : { revision: epoch.revision },
        },
        auditWrite({ event, by, about: { name } }, `trust-${moved}`, now()),
      ];
      if ((await ledger.transact(writes)).done) return;
    }
  }

  async #load(epoch: number): Promise<TrustView> {
    const { ledger, now } = this.#context;
    const items: Item[] = [];
    let cursor: string | undefined;
    do {
      const page = await ledger.query('trust', cursor === undefined ? {} : { cursor });
      items.push(...page.items);
      cursor = page.cursor;
    } while (cursor !== undefined);
    const kind = (prefix: string) => items.filter(({ sort }) => sort.startsWith(`${prefix}#`));
    const at = now();
    const problems: string[] = [];

    const cis = kind('ci').map(ciRecord.from);
    const store = new TrustStore({
      forSigning: cis.filter((ci) => ci.forSigning).map((ci) => ci.certificate),
      forVerification: cis.filter((ci) => ci.forVerification).map((ci) => ci.certificate),
    });
    const policyItem = items.find(({ sort }) => sort === 'policy');
    const policy =
      policyItem === undefined ? REFUSE_WITHOUT_LIST : trustPolicyRecord.from(policyItem).revocation;
    const crls = new RevocationLists(policy, (gap) =>
      problems.push(`${gap.kind} revocation list of ${gap.issuerKeyId}`),
    );
    for (const item of kind('crl')) {
      const { der } = crlRecord.from(item);
      // a list that a newer one replaced is refused here, and meant to be
      attempt(() => crls.add(der, decodeCertificate(item.attributes.issuer as Bytes, 'crlInvalid'), at));
    }

    const dpBindings: DpBinding[] = [];
    const dps = kind('dppb')
      .map(dpPbRecord.from)
      .filter(({ state }) => state === 'active');
    for (const dp of dps.sort((a, b) => b.installedAt - a.installedAt)) {
      try {
        dpBindings.push({ ...(await this.#verifyDp(dp, store, crls, at)), keyUri: dp.keyUri });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        problems.push(`binding certificate ${dpName(dp).slice(0, 16)}: ${error.message}`);
      }
    }
    const eums = new Map(kind('eum').map((item) => [item.sort.slice('eum#'.length), eumRecord.from(item)]));
    return new TrustView(this.#context, { epoch, loadedAt: at, store, crls, dpBindings, problems, eums });
  }

  async #verifyDp(
    dp: Pick<DpPbRecord, 'keyUri' | 'ciPkId' | 'certificates'>,
    trust: TrustStore,
    crls: RevocationLists,
    atMs: number,
  ): Promise<VerifiedDp> {
    const { publicKey } = await this.#context.keyRing.binding(dp.keyUri);
    return verifyDpChain({ chain: dp.certificates, ciPkId: dp.ciPkId, spki: publicKey, trust, crls, atMs });
  }
}

const sha256 = (octets: Bytes) => createHash('sha256').update(octets).digest('hex');

const dpName = (dp: Pick<DpPbRecord, 'certificates'>) => sha256(dp.certificates[0]!);

function attempt(add: () => void): void {
  try {
    add();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}
