import {
  type BppBatch,
  type BppItem,
  decodeBatchManifest,
  decodeBppBatch,
  readPartItems,
  verifyManifest,
} from './der/bpp-batch.ts';
import { type BppRequest, encodeBppRequest } from './der/bpp-request.ts';
import { decodeManifestRoot, readManifestPage, verifyRoot } from './der/manifest-pages.ts';
import type { Part } from './der/parts.ts';
import { encodeProfileLoadingReport, type ProfileLoadingReport } from './der/profile-loading-report.ts';
import { type AnswerOf, Party, type RequestOf, type Schemas } from './party.ts';

/** Octets of an object whose base64 stays inside a body of 4 MiB. */
const INLINE_LIMIT = 3_000_000;
/** Octets of an object that goes inline with each question how far the work on it is; a larger one is uploaded, once. */
const ASKED_AGAIN_LIMIT = 262_144;

const base64 = (octets: Uint8Array) => Buffer.from(octets).toString('base64');

/** The Operator at ES2f. */
export class Operator extends Party {
  /** Orders profiles from a template (DER). The same order again is answered alike; wait with `waitForOrder`. */
  async order(
    template: Uint8Array,
    order: Omit<RequestOf<'/ifpp-draft1/es2f/prepareProfiles'>, 'template' | 'transferId'>,
  ): Promise<AnswerOf<'/ifpp-draft1/es2f/prepareProfiles'>> {
    return this.call('/ifpp-draft1/es2f/prepareProfiles', { ...order, template: base64(template) });
  }

  /** A page of the order's profiles; without `cursor` the first, with the counts of all. */
  status(orderId: string, page: { cursor?: string; limit?: number } = {}) {
    return this.call('/ifpp-draft1/es2f/getOrderStatus', { orderId, ...page });
  }
}

/** The EUM at Esed1. */
export class Eum extends Party {
  /** Registers a batch (FF60) and waits until every entry is accepted or refused. */
  async register(batch: Uint8Array): Promise<AnswerOf<'/ifpp-draft1/esed1/registerEuiccData'>> {
    const members =
      batch.length <= ASKED_AGAIN_LIMIT
        ? { euiccDataBatch: base64(batch) }
        : { transferId: await this.upload('/ifpp-draft1/esed1/openTransfer', 'euiccData', batch) };
    return this.callUntilDone('/ifpp-draft1/esed1/registerEuiccData', members);
  }
}

/** The device manufacturer at Esbpp. */
export class DeviceManufacturer extends Party {
  /** Asks for BPPs and waits for all of them, inline or in parts. Refused items are among the items, as `failed`. */
  async request(request: BppRequest): Promise<BppBatch> {
    const der = encodeBppRequest(request);
    const members =
      der.length <= INLINE_LIMIT
        ? { bppRequest: base64(der) }
        : { transferId: await this.upload('/ifpp-draft1/esbpp/openTransfer', 'bppRequest', der) };
    const answer = await this.call('/ifpp-draft1/esbpp/requestBpp', members);
    if (answer.state === 'Done') return this.read(answer);
    const { requestId } = request;
    return this.read(await this.callUntilDone('/ifpp-draft1/esbpp/getBppBatch', { requestId }));
  }

  /** The BPPs of an answer; parts are fetched, and held against their signed manifest. */
  async read(answer: Schemas['BppAnswer']): Promise<BppBatch> {
    if (answer.bppBatch !== undefined) return decodeBppBatch(Buffer.from(answer.bppBatch, 'base64'));
    if (answer.manifestRoot !== undefined) return this.#readPages(answer.requestId, answer.manifestRoot);
    const manifest = decodeBatchManifest(Buffer.from(answer.manifest ?? '', 'base64'));
    if (!verifyManifest(manifest, await this.#deliveryPoints()))
      throw new Error('no delivery key has signed the manifest');
    const { requestId, chains, parts } = manifest;
    return { requestId, chains, items: await this.#readParts(answer.requestId, parts) };
  }

  /** Of an answer whose manifest has pages: each is proved to be under the signed root before its parts are used. */
  async #readPages(requestId: string, manifestRoot: string): Promise<BppBatch> {
    const root = decodeManifestRoot(Buffer.from(manifestRoot, 'base64'));
    if (!verifyRoot(root, await this.#deliveryPoints()))
      throw new Error('no delivery key has signed the root of the manifest');
    const items: BppItem[] = [];
    let before = 0;
    for (let page = 0; page < root.pages; page++) {
      const { manifestPage = '' } = await this.callUntilDone('/ifpp-draft1/esbpp/getBppBatch', {
        requestId,
        page,
      });
      const parts = readManifestPage(root, page, before, Buffer.from(manifestPage, 'base64'));
      for (const item of await this.#readParts(requestId, parts)) items.push(item);
      before += parts.length;
    }
    if (before !== root.parts) throw new Error('the pages do not have all parts of the manifest');
    return { requestId: root.requestId, chains: root.chains, items };
  }

  async #deliveryPoints(): Promise<readonly Buffer[]> {
    const { deliveryKeys } = await this.call('/ifpp-draft1/esbpp/getServerKeys', {});
    return deliveryKeys.map(pointOf);
  }

  async #readParts(requestId: string, parts: readonly Part[]): Promise<BppItem[]> {
    const items: BppItem[] = [];
    for (const part of parts) {
      const octets = await this.download('/ifpp-draft1/esbpp/getTransfer', requestId, part.name);
      for (const item of readPartItems(part, octets)) items.push(item);
    }
    return items;
  }

  /** Sends a report and waits until each result is verified, noted or refused. */
  async report(
    report: ProfileLoadingReport,
  ): Promise<AnswerOf<'/ifpp-draft1/esbpp/sendProfileLoadingReport'>> {
    const der = encodeProfileLoadingReport(report);
    const members =
      der.length <= ASKED_AGAIN_LIMIT
        ? { profileLoadingReport: base64(der) }
        : { transferId: await this.upload('/ifpp-draft1/esbpp/openTransfer', 'profileLoadingReport', der) };
    return this.callUntilDone('/ifpp-draft1/esbpp/sendProfileLoadingReport', members);
  }
}

const pointOf = ({ x, y }: Schemas['DeliveryKey']) =>
  Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
