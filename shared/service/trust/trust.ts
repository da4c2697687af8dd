import { toHex } from '../../codec/bytes.ts';
import { scanAll } from '../../ledger/scan.ts';
import { type Certificate, decodeCertificate } from '../../pki/certificate.ts';
import { nameText } from '../../pki/name.ts';
import type { RevocationPolicy } from '../../pki/revocation.ts';
import type { Context } from '../context.ts';
import { ledgerKeys, partitions } from '../records/keys.ts';
import { type DpPbRecord, dpPbRecord } from '../records/trust.ts';
import { type AllowedEum, allowedEums, type CiCertificate, ciCertificates } from './anchors.ts';
import { storedEumChains } from './eum-chains.ts';
import { ofKind, policyOf } from './trust-items.ts';
import { ignoreRefusal, TrustLoader } from './trust-loader.ts';
import type { TrustView } from './trust-view.ts';

export { type DpBinding, type TrustedEum, TrustView } from './trust-view.ts';

/** A view older than this is loaded afresh even if the epoch stands: certificates and lists expire by themselves. */
const VIEW_LIFETIME_MS = 30_000;

/** The trust configuration as it is stored. */
export interface TrustListing {
  readonly epoch: number;
  readonly policy: RevocationPolicy;
  readonly cis: readonly CiCertificate[];
  readonly eums: readonly AllowedEum[];
  readonly dpPbs: readonly {
    sha256: string;
    keyUri: string;
    ciPkId: string;
    state: DpPbRecord['state'];
    installedAt: Date;
  }[];
  readonly crls: readonly {
    issuerKeyId: string;
    /** Name of the issuer, for people: one key may have several. */
    issuer: string;
    number: bigint;
    nextUpdate: Date;
    revoked: number;
    expired: boolean;
  }[];
  /** What is not usable now, and why. */
  readonly problems: readonly string[];
}

/**
 * Whom this server trusts, as it stands in one ledger partition; what changes it is in `trust-administration.ts`.
 */
export class Trust {
  readonly #context: Context;
  /** Reads what a view is made of; each revocation list is decoded once by it. */
  readonly loader: TrustLoader;
  #view: TrustView | undefined;

  constructor(context: Context) {
    this.#context = context;
    this.loader = new TrustLoader(context);
  }

  /** The view of this moment: reads the epoch, and the rest only if it moved or the view has aged. */
  async current(): Promise<TrustView> {
    return await this.at((await this.#context.ledger.get(ledgerKeys.trustEpoch))?.revision ?? 0);
  }

  /** The same by an epoch that was read just now. */
  async at(epoch: number): Promise<TrustView> {
    const view = this.#view;
    // a clock that was set back makes an old view look fresh: both ways it has aged
    const age = view === undefined ? 0 : Math.abs(this.#context.now() - view.loadedAt);
    if (view?.epoch === epoch && age < VIEW_LIFETIME_MS) return view;
    const loaded = await this.loader.load(epoch);
    this.#view = loaded;
    return loaded;
  }

  async list(): Promise<TrustListing> {
    const view = await this.current();
    const items = await scanAll(this.#context.ledger, partitions.trust);
    const named = (kind: string) =>
      ofKind(items, kind).map((item) => [item.sort.slice(kind.length + 1), item] as const);
    return {
      epoch: view.epoch,
      policy: policyOf(items),
      cis: ciCertificates(items),
      eums: allowedEums(items),
      dpPbs: named('dppb').map(([name, item]) => {
        const { keyUri, ciPkId, state, installedAt } = dpPbRecord.from(item);
        return { sha256: name, keyUri, ciPkId: toHex(ciPkId), state, installedAt: new Date(installedAt) };
      }),
      crls: view.crls.lists.map((crl) => ({
        issuerKeyId: toHex(crl.authorityKeyIdentifier),
        issuer: nameText(crl.issuer.attributes),
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
}
