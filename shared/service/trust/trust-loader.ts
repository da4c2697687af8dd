import { Refusal } from '../../errors.ts';
import type { Item } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { decodeCertificate } from '../../pki/certificate.ts';
import { verifyDpChain } from '../../pki/chain.ts';
import { type Crl, decodeCrl } from '../../pki/crl.ts';
import { type RevocationGap, RevocationLists, type RevocationPolicy } from '../../pki/revocation.ts';
import type { Context } from '../context.ts';
import { partitions } from '../records/keys.ts';
import { crlRecord, dpPbRecord, eumRecord } from '../records/trust.ts';
import { crlItems, dpName, ofKind, policyOf, storeOf } from './trust-items.ts';
import { type DpBinding, TrustView } from './trust-view.ts';

/** Reads the trust partition, and the revocation lists that it names, into what is trusted at this moment. */
export class TrustLoader {
  readonly #context: Context;
  /** Lists are read and decoded once: they may have megabytes. */
  readonly #decodedLists = new Map<string, Crl>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** The view of this epoch; raises the alarms of what cannot be used. */
  async load(epoch: number): Promise<TrustView> {
    const items = await scanAll(this.#context.ledger, partitions.trust);
    const at = this.#context.now();
    const store = storeOf(items);
    const gaps = new Map<string, RevocationGap>();
    const crls = await this.lists(items, at, policyOf(items), (gap) => {
      const name = `${gap.kind} ${gap.issuerKeyId} ${gap.distributionPoints.join(' ')}`;
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

  /** The lists that are held, each verified again: under the clock of `at`, or as of its own beginning where that is later. */
  async lists(
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
        // it was valid when it was taken in: a clock that went back takes no revocation away, and withholds nothing
        lists.add(crl, decodeCertificate(issuer, 'crlInvalid'), Math.max(at, crl.thisUpdateMs));
      } catch (error) {
        // what cannot be used counts as missing, which the policy decides
        ignoreRefusal(error);
      }
    }
    return lists;
  }
}

export function ignoreRefusal(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error;
  return undefined;
}
