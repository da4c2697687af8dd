import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer, request as httpsRequest, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { SelfSigned } from '../support/self-signed.ts';

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface Call {
  /** `esbpp.requestBpp`. */
  readonly name: string;
  readonly body: Record<string, unknown>;
  /** How often this function was called before. */
  readonly before: number;
  /** Makes the call itself, or another one, at the server behind. */
  readonly forward: (call?: Partial<Pick<Call, 'name' | 'body'>>) => Promise<Answer>;
}

/** What a server does wrong; `call` answers in the place of the server behind. */
export interface Fault {
  /** Whoever comes without a certificate is taken for the first party. */
  readonly takesAnyone?: boolean;
  readonly call?: (call: Call) => Promise<Answer>;
}

/** Stands before a right server with TLS of the same certificate, and does one thing wrong. */
export class FaultyServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(
    behind: string,
    tls: SelfSigned,
    parties: readonly SelfSigned[],
    fault: Fault,
  ): Promise<FaultyServer> {
    const counts = new Map<string, number>();
    const server = createServer(
      { cert: tls.cert, key: tls.key, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        void (async () => {
          const octets: Buffer[] = [];
          for await (const chunk of request) octets.push(chunk as Buffer);
          const text = Buffer.concat(octets).toString('utf8');
          const party = partyOf(request, parties) ?? (fault.takesAnyone ? parties[0] : undefined);
          const send = (url: string, body: string) => forward(behind + url, request, body, party, tls);
          const answer = await answerOf(request.url ?? '', text, counts, fault, send);
          response.writeHead(answer.status, {
            ...answer.headers,
            'content-length': Buffer.byteLength(answer.body),
          });
          response.end(answer.body);
        })().catch((error: unknown) => response.writeHead(502).end(String(error)));
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FaultyServer(server);
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

async function answerOf(
  url: string,
  text: string,
  counts: Map<string, number>,
  { call }: Fault,
  send: (url: string, body: string) => Promise<Answer>,
): Promise<Answer> {
  const name = url.split('/').slice(-2).join('.');
  const before = counts.get(name) ?? 0;
  counts.set(name, before + 1);
  let body: Call['body'];
  try {
    body = JSON.parse(text) as Call['body'];
  } catch {
    return await send(url, text);
  }
  const itself = { name, body };
  return await (call ?? (({ forward }: Call) => forward()))({
    ...itself,
    before,
    forward: (other = {}) => {
      const { name: path, body: members } = { ...itself, ...other };
      return send(`/ifpp-draft1/${path.replace('.', '/')}`, JSON.stringify(members));
    },
  });
}

function partyOf({ socket }: IncomingMessage, parties: readonly SelfSigned[]): SelfSigned | undefined {
  const raw = socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined;
  const fingerprint = raw === undefined ? '' : createHash('sha256').update(raw).digest('hex');
  return parties.find((party) => party.fingerprint === fingerprint);
}

function forward(
  url: string,
  { method, headers }: IncomingMessage,
  body: string,
  party: SelfSigned | undefined,
  tls: SelfSigned,
): Promise<Answer> {
  const { 'content-length': _, host: __, connection: ___, ...kept } = headers;
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      url,
      {
        method,
        headers: { ...kept, 'content-length': Buffer.byteLength(body) },
        ca: tls.cert,
        agent: false,
        ...(party === undefined ? {} : { cert: party.cert, key: party.key }),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          const told = Object.entries(incoming.headers).filter(
            ([name]) => !/^(content-length|connection|keep-alive|transfer-encoding|date)$/.test(name),
          );
          resolve({
            status: incoming.statusCode ?? 0,
            headers: Object.fromEntries(told.map(([name, value]) => [name, String(value)])),
            body: Buffer.concat(chunks).toString('utf8'),
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
