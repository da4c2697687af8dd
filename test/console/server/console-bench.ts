import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { headersOf } from '../../../cli/server/function-route.ts';
import { readBody } from '../../../cli/server/read-body.ts';
import { Console, type ConsoleOptions } from '../../../console/server/console.ts';
import { send } from '../../../console/server/exchange.ts';
import type { Login } from '../../../console/server/login.ts';
import { type Answer, exchange } from '../../../localstack/http-exchange.ts';

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export const READS = '/ifpp-draft1/ops/getOrders';
export const CHANGES = '/ifpp-draft1/ops/closeOrder';

/** A console with two functions, behind a server of its own, and what it was asked to do. */
export class ConsoleBench {
  readonly url: string;
  readonly console: Console;
  readonly called: (readonly [path: string, login: Login])[] = [];
  readonly told: (readonly [what: string, person: string])[] = [];
  now = Date.parse('2026-06-01T08:00:00Z');
  readonly #server: Server;

  private constructor(server: Server, options: Partial<ConsoleOptions>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.console = new Console({
      url: this.url,
      site: new Map([
        [
          '/',
          { type: 'text/html; charset=utf-8', content: Buffer.from('<!doctype html>'), immutable: false },
        ],
      ]),
      functions: {
        kindOf: (path) => (path === READS ? 'reads' : path === CHANGES ? 'changes' : undefined),
        call: async (path, login) => {
          this.called.push([path, login]);
          return { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };
        },
      },
      onSession: async (what, { person }) => {
        this.told.push([what, person]);
      },
      now: () => this.now,
      ...options,
    });
    server.on('request', (incoming, response) => {
      const [path = '', query] = (incoming.url ?? '').split(/(?=\?)/, 2);
      const request = {
        method: incoming.method ?? '',
        path,
        query: query ?? '',
        headers: headersOf(incoming),
        clientCertificate: undefined,
        readBody: (limit: number) => readBody(incoming, limit, 10_000),
      };
      this.console
        .answer(request)
        .then((answer) => send(incoming, response, answer))
        .catch(() => response.writeHead(500).end());
    });
  }

  static async open(options: (url: string) => Partial<ConsoleOptions> = () => ({})): Promise<ConsoleBench> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return new ConsoleBench(server, options(`http://127.0.0.1:${port}`));
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  send(path: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Answer> {
    const { hostname, port } = new URL(this.url);
    return exchange({ hostname, port, path, method, headers, agent: false }, body);
  }

  /** A call as the pages make it. */
  post(
    path: string,
    browser: Partial<Browser> = {},
    headers: Readonly<Record<string, string>> = {},
    body = '{}',
  ) {
    return this.send(path, {
      method: 'POST',
      headers: {
        origin: this.url,
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/json',
        ...(browser.cookie !== undefined && { cookie: browser.cookie }),
        ...(browser.csrf !== undefined && { 'x-csrf-token': browser.csrf }),
        ...headers,
      },
      body,
    });
  }

  /** A browser in which somebody has opened a link. */
  async login(role: Login['role'], person = 'anna'): Promise<Browser> {
    const secret = /#login=(.+)$/.exec(this.console.makeLink({ person, role }))![1]!;
    return await this.browserOf(await this.post('/session/link', {}, {}, secret));
  }

  async browserOf(answer: Answer): Promise<Browser> {
    const cookie = cookieOf(answer)!;
    const { body } = await this.send('/session', { headers: { cookie } });
    const { csrf } = JSON.parse(body) as { csrf: string };
    return { cookie, csrf };
  }
}

export interface Browser {
  /** `__Host-smdpf-session=…` */
  readonly cookie: string;
  readonly csrf: string;
}

/** The session's cookie that an answer sets. */
export function cookieOf({ headers }: Answer): string | undefined {
  const set = headers['set-cookie']?.find((one) => /^__Host-smdpf-session=[\w-]{43};/.test(one));
  return set?.split(';', 1)[0];
}
