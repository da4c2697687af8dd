import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { JWK } from 'jose';
import type { JsonObject, TlsIdentity } from './http.ts';
import { verifyCallback } from './signed-callback.ts';
import { SimError } from './tlv.ts';

const PROTOCOL = { 'X-Admin-Protocol': 'ifpp-draft/v1.0.0' };
const CALLBACK_PATH = '/ifpp-draft1/es2f/handleProfileLoadingInfo';

export interface CallbackServerOptions {
  /** Certificate and key make it HTTPS; `ca` then also demands a client certificate. */
  readonly tls?: TlsIdentity;
  readonly port?: number;
  readonly host?: string;
  /** The first calls that are answered 503 instead of 204, to try the sender's retries. */
  readonly failFirst?: number;
  /** The first notices of calls with several that are refused by their names, while the others are taken. */
  readonly refuseFirst?: number;
  /** `deliveryKeys` of getServerKeys: calls that are not signed under one of them are answered 401. */
  readonly deliveryKeys?: readonly JWK[];
}

/**
 * Collects what handleProfileLoadingInfo calls of the SM-DPf tell, one notice or several, and answers 204; 401 to those whose
 * signature does not hold, and 200 with the names of those that it refuses of several.
 */
export class CallbackServer {
  /** The notices that were taken, in their order: bodies of calls, and what bodies with several have. */
  readonly received: JsonObject[] = [];
  /** Why calls were answered 401. */
  readonly refused: string[] = [];
  /** Notices that were refused out of calls with several. */
  refusedByName = 0;
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
    const octets = Buffer.concat(chunks);
    const body = parseJson(octets.toString('utf8'));
    if (!isCallback || body === undefined) {
      response.writeHead(isCallback ? 400 : 404).end();
      return;
    }
    const { deliveryKeys } = this.#options;
    if (deliveryKeys !== undefined) {
      const signature = String(request.headers['x-jws-signature'] ?? '');
      try {
        await verifyCallback(octets, signature, { url: this.url, deliveryKeys });
      } catch (error) {
        this.refused.push(error instanceof Error ? error.message : String(error));
        response.writeHead(401).end();
        return;
      }
    }
    const { notifications } = body;
    if (notifications !== undefined) return this.#takeSeveral(notifications, response);
    this.received.push(body);
    response.writeHead(204, PROTOCOL).end();
  }

  /** Each by itself: one that is refused stops no other. */
  #takeSeveral(notices: unknown, response: ServerResponse): void {
    if (!Array.isArray(notices) || !notices.every(isNotice)) {
      response.writeHead(400, PROTOCOL).end();
      return;
    }
    const left = Math.max(0, (this.#options.refuseFirst ?? 0) - this.refusedByName);
    const refused = notices.slice(0, left).map(({ header }) => header.functionCallIdentifier);
    this.refusedByName += refused.length;
    this.received.push(...notices.slice(left));
    if (refused.length === 0) response.writeHead(204, PROTOCOL).end();
    else
      response
        .writeHead(200, { ...PROTOCOL, 'Content-Type': 'application/json' })
        .end(JSON.stringify({ refused }));
  }
}

interface Notice extends JsonObject {
  readonly header: { readonly functionCallIdentifier: string };
}

function isNotice(value: unknown): value is Notice {
  const header: unknown = Object(value).header;
  return typeof Object(header).functionCallIdentifier === 'string';
}

function parseJson(text: string): JsonObject | undefined {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return undefined;
  }
}
