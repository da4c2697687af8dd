import { setTimeout as sleep } from 'node:timers/promises';
import { type Bytes, toHex } from '../shared/codec/bytes.ts';
import {
  base64,
  type ClientOptions,
  executed,
  type FunctionAnswer,
  FunctionClient,
  type JsonObject,
  type SentFile,
  stringAt,
} from './http.ts';
import {
  assembleBppBatch,
  assemblePagedBatch,
  type BppRequest,
  encodeBppRequest,
  pagesOf,
  partNamesOf,
} from './ifpp-draft1.ts';
import { SimError } from './tlv.ts';

/** The device manufacturer's end of Esbpp. */
export class DeviceMaker {
  readonly client: FunctionClient;

  constructor(options: ClientOptions) {
    this.client = new FunctionClient(options);
  }

  /** Asks for BPPs and waits for the whole batch (FF62), in one piece or in parts; at most `timeoutMs`. */
  async requestBpp(
    request: BppRequest,
    options: { timeoutMs?: number; pollMs?: number } = {},
  ): Promise<Bytes> {
    const deadline = Date.now() + (options.timeoutMs ?? 60_000);
    let answer = executed(await this.callRequestBpp(encodeBppRequest(request)));
    for (;;) {
      const batch = stringAt(answer, 'bppBatch');
      if (batch !== undefined) return Buffer.from(batch, 'base64');
      const manifest = stringAt(answer, 'manifest');
      if (manifest !== undefined) return this.#assemble(request, Buffer.from(manifest, 'base64'), answer);
      const root = stringAt(answer, 'manifestRoot');
      if (root !== undefined) return this.#assemblePages(request, Buffer.from(root, 'base64'));
      if (stringAt(answer, 'state') !== 'Pending') throw new SimError('no BPPs in the answer');
      if (Date.now() > deadline) throw new SimError('the BPPs did not come in time');
      await sleep(options.pollMs ?? 200);
      answer = await this.client.execute('esbpp', 'getBppBatch', { requestId: toHex(request.requestId) });
    }
  }

  /** A signed statement of what the eUICCs of these devices have deleted. */
  deletionStatement(eids: readonly string[]): Promise<FunctionAnswer> {
    return this.client.call('esbpp', 'getDeletionStatement', { items: eids.map((eid) => ({ eid })) });
  }

  /** JWKs under which the server signs. */
  serverKeys(): Promise<JsonObject> {
    return this.client.execute('esbpp', 'getServerKeys', {});
  }

  /** One call of requestBpp with a BppRequest (FF61); the answer as it is. */
  callRequestBpp(bppRequest: Bytes | SentFile): Promise<FunctionAnswer> {
    return this.client.submit('esbpp', 'requestBpp', 'bppRequest', bppRequest);
  }

  /** The report (FF63) names itself by its reportId. A large one is asked for again until it is done. */
  async sendProfileLoadingReport(
    report: Bytes,
    options: { readonly timeoutMs?: number; readonly pollMs?: number } = {},
  ): Promise<JsonObject> {
    const deadline = Date.now() + (options.timeoutMs ?? 300_000);
    for (;;) {
      const answer = executed(
        await this.client.submit('esbpp', 'sendProfileLoadingReport', 'profileLoadingReport', report),
      );
      if (stringAt(answer, 'state') !== 'Pending') return answer;
      if (Date.now() > deadline) throw new SimError('the report was not taken in time');
      await sleep(options.pollMs ?? 500);
    }
  }

  async #assemble(request: BppRequest, manifest: Bytes, answer: JsonObject): Promise<Bytes> {
    const parts = Array.isArray(answer.parts) ? (answer.parts as JsonObject[]) : [];
    const octets = await this.#download(
      request,
      parts.map((part) => stringAt(part, 'name') ?? ''),
    );
    return assembleBppBatch(manifest, (name) => octets.get(name) ?? new Uint8Array());
  }

  async #assemblePages(request: BppRequest, root: Bytes): Promise<Bytes> {
    const pages: Bytes[] = [];
    for (let page = 0; page < pagesOf(root); page++) {
      const body = { requestId: toHex(request.requestId), page };
      const answer = await this.client.execute('esbpp', 'getBppBatch', body);
      pages.push(Buffer.from(stringAt(answer, 'manifestPage') ?? '', 'base64'));
    }
    const octets = await this.#download(request, pages.flatMap(partNamesOf));
    const page = (place: number) => pages[place] ?? new Uint8Array();
    return assemblePagedBatch(root, page, (name) => octets.get(name) ?? new Uint8Array());
  }

  async #download(request: BppRequest, names: readonly string[]): Promise<ReadonlyMap<string, Bytes>> {
    const octets = new Map<string, Bytes>();
    for (const name of names) {
      const body = { requestId: toHex(request.requestId), name };
      const { downloadUrl } = await this.client.execute('esbpp', 'getTransfer', body);
      octets.set(name, await this.client.download(String(downloadUrl)));
    }
    return octets;
  }

  /** DMF03: tells that unused keys were deleted; nothing is bound to them afterwards. */
  closeKeys(items: readonly { eid: string; keyId: Bytes }[]): Promise<JsonObject> {
    return this.client.execute('esbpp', 'closeKeys', {
      items: items.map(({ eid, keyId }) => ({ eid, keyId: toHex(keyId) })),
    });
  }
}

/** A device in the field: ES9+, no client certificate, trusted by the eUICC's signature alone. */
export class FieldDevice {
  readonly client: FunctionClient;

  constructor(options: Omit<ClientOptions, 'functionRequesterIdentifier'>) {
    this.client = new FunctionClient(options);
  }

  /** pendingNotification is a whole BF37 or OtherSignedNotification. */
  handleNotification(pendingNotification: Bytes): Promise<FunctionAnswer> {
    return this.client.call('es9plus', 'handleNotification', {
      pendingNotification: base64(pendingNotification),
    });
  }
}
