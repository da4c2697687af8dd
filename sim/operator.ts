import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { compactVerify, importJWK, type JWK } from 'jose';
import type { Bytes } from '../shared/codec/bytes.ts';
import { type ClientOptions, executed, FunctionClient, type JsonObject, type TlsIdentity } from './http.ts';
import { openRows } from './output-rows.ts';
import { SimError } from './tlv.ts';

/** Members of prepareProfiles; `template` is the Unprotected Profile Package that the profiles are made from. */
export interface ProfileOrder {
  readonly orderId: string;
  readonly profileType: string;
  readonly quantity: number;
  /** Device manufacturers that may ask for these profiles. */
  readonly requesterDms: readonly string[];
  readonly template: Bytes;
  readonly personalisation: JsonObject;
  readonly eligibility: JsonObject;
  readonly metadata: JsonObject;
  /** Public JWK that the rows for the HSS are encrypted to. */
  readonly outputKey?: JsonObject;
  readonly callbackUrl?: string;
}

/** The Operator's end of ES2f. */
export class Operator {
  readonly client: FunctionClient;

  constructor(options: ClientOptions) {
    this.client = new FunctionClient(options);
  }

  async prepareProfiles({ template, ...order }: ProfileOrder): Promise<JsonObject> {
    return executed(await this.client.submit('es2f', 'prepareProfiles', 'template', template, order));
  }

  getOrderStatus(orderId: string, page: { cursor?: string; limit?: number } = {}): Promise<JsonObject> {
    return this.client.execute('es2f', 'getOrderStatus', { orderId, ...page });
  }

  cancelOrder(
    orderId: string,
    finalProfileStatusIndicator: 'Available' | 'Unavailable',
    iccid?: string,
  ): Promise<JsonObject> {
    return this.client.execute('es2f', 'cancelOrder', {
      orderId,
      finalProfileStatusIndicator,
      ...(iccid === undefined ? {} : { iccid }),
    });
  }

  closeOrder(orderId: string): Promise<JsonObject> {
    return this.client.execute('es2f', 'closeOrder', { orderId });
  }

  releaseProfile(orderId: string, iccid: string): Promise<JsonObject> {
    return this.client.execute('es2f', 'releaseProfile', { orderId, iccid });
  }

  replaceProfile(orderId: string, iccid: string): Promise<JsonObject> {
    return this.client.execute('es2f', 'replaceProfile', { orderId, iccid });
  }

  /** The output rows of an order, pack by pack: JSON lines, one for each profile. Throws where a pack is not in its place. */
  async *orderOutput(orderId: string, privateJwk: JWK): AsyncGenerator<string> {
    for (let pack = 0, packs = 1; pack < packs; pack++) {
      const answer = await this.client.execute('es2f', 'getOrderOutput', { orderId, pack });
      packs = Number(answer.packs);
      const { header, rows } = await openRows(String(answer.jwe), privateJwk);
      if (header.order !== orderId || header.pack !== pack || !(pack < Number(header.packs)))
        throw new SimError(`the output rows of pack ${pack} are those of another place`);
      yield rows;
    }
  }

  /** The parts of the signed report about an order, each verified with the server's report key and in its place. */
  async *orderReport(orderId: string): AsyncGenerator<JsonObject> {
    const { reportKey } = await this.client.execute('es2f', 'getServerKeys', {});
    const key = await importJWK(reportKey as JWK, 'ES256');
    let cursor: string | undefined;
    let next = 0;
    do {
      const page = cursor === undefined ? {} : { cursor };
      const answer = await this.client.execute('es2f', 'getOrderReport', { orderId, ...page });
      const { payload } = await compactVerify(String(answer.report), key);
      const part = JSON.parse(Buffer.from(payload).toString('utf8')) as JsonObject;
      if (part.orderId !== orderId || part.from !== next)
        throw new SimError('a part of the report is that of another place');
      next = Number(part.to);
      yield part;
      cursor = answer.cursor as string | undefined;
    } while (cursor !== undefined);
  }
}

const CALLBACK_PATH = '/ifpp-draft1/es2f/handleProfileLoadingInfo';

export interface CallbackServerOptions {
  /** Certificate and key make it HTTPS; `ca` then also demands a client certificate. */
  readonly tls?: TlsIdentity;
  readonly port?: number;
  readonly host?: string;
  /** The first calls that are answered 503 instead of 204, to try the sender's retries. */
  readonly failFirst?: number;
}

/** Collects handleProfileLoadingInfo calls of the SM-DPf and answers 204. */
export class CallbackServer {
  /** Bodies of the calls that were answered 204, in their order. */
  readonly received: JsonObject[] = [];
  /** Calls in all, refused ones included. */
  calls = 0;
  readonly #options: CallbackServerOptions;
  readonly #server: Server;

  private constructor(options: CallbackServerOptions) {
    this.#options = options;
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#answer(request, response);
    };
    const { tls } = options;
    this.#server =
      tls === undefined
        ? createHttpServer(listener)
        : createHttpsServer(
            { ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: true },
            listener,
          );
  }

  static async start(options: CallbackServerOptions = {}): Promise<CallbackServer> {
    const callbacks = new CallbackServer(options);
    await new Promise<void>((resolve, reject) => {
      callbacks.#server.once('error', reject);
      callbacks.#server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
    });
    return callbacks;
  }

  /** Where handleProfileLoadingInfo is called: the callbackUrl of an order. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#options.tls === undefined ? 'http' : 'https'}://${this.#options.host ?? '127.0.0.1'}:${port}${CALLBACK_PATH}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Resolves once `count` calls were taken; throws after `timeoutMs`. */
  async waitFor(count: number, timeoutMs = 30_000): Promise<readonly JsonObject[]> {
    const deadline = Date.now() + timeoutMs;
    while (this.received.length < count) {
      if (Date.now() > deadline)
        throw new SimError(`${this.received.length} of ${count} callbacks came in time`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return this.received;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.calls++;
    if (this.calls <= (this.#options.failFirst ?? 0)) {
      response.writeHead(503).end();
      return;
    }
    const isCallback = request.method === 'POST' && request.url === CALLBACK_PATH;
    const body = parseJson(Buffer.concat(chunks).toString('utf8'));
    if (!isCallback || body === undefined) {
      response.writeHead(isCallback ? 400 : 404).end();
      return;
    }
    this.received.push(body);
    response.writeHead(204, { 'X-Admin-Protocol': 'ifpp-draft/v1.0.0' }).end();
  }
}

function parseJson(text: string): JsonObject | undefined {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return undefined;
  }
}
