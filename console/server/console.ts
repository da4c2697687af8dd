import { Refusal } from '../../shared/errors.ts';
import { clearCookie, LOGIN_COOKIE, readCookie, SESSION_COOKIE, setCookie } from './cookies.ts';
import { type Answer, type ConsoleRequest, json, redirect, refusal, secured } from './exchange.ts';
import type { Login } from './login.ts';
import { LoginLinks } from './login-links.ts';
import { OidcLogin, type OidcOptions } from './oidc.ts';
import { type Session, type SessionLives, Sessions } from './sessions.ts';
import { NOT_BUILT, type Site, type SiteFile } from './site.ts';
import { type ConsoleStore, MemoryStore } from './store.ts';

/** The functions that the console calls for its people. */
export interface ConsoleFunctions {
  /** Of a URL path: whether its function changes something; undefined where there is none for the console. */
  kindOf(path: string): 'reads' | 'changes' | undefined;
  call(path: string, login: Login, request: ConsoleRequest): Promise<Answer>;
}

export interface ConsoleOptions {
  /** What browsers call the console by: `https://host:port`, without a slash at the end. */
  readonly url: string;
  /** Undefined where nobody has built it. */
  readonly site: Site | undefined;
  readonly functions: ConsoleFunctions;
  /** Who a client certificate is and what they may do; absent where nobody logs in by one. */
  readonly byCertificate?: (request: ConsoleRequest) => Promise<Login>;
  readonly oidc?: OidcOptions;
  /** Sessions and logins under way; in memory unless given. */
  readonly store?: ConsoleStore;
  /** False where nobody is at a screen of the server's to read a link. */
  readonly links?: boolean;
  /** Is told who came and went. */
  readonly onSession: (what: 'login' | 'logout', login: Login) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly lives?: SessionLives;
}

/** A change says for itself that somebody has confirmed it: a repeated or replayed call that only reads never has it. */
export const CONFIRMED = 'x-console-confirmed';
export const CSRF = 'x-csrf-token';
/** Octets of a body of the console's own calls. */
const MAX_BODY = 4 * 1024;
const OIDC_CALLBACK = '/session/oidc/callback';

/**
 * The console: static pages, sessions, and the functions for whoever is logged in. Every answer carries the headers of
 * headers.ts. A request that is no GET has to come from a page of this origin (Origin, Sec-Fetch-Site), with the session's
 * cookie, which no other site can have sent (SameSite), and with the session's CSRF token, which no other site can read.
 */
export class Console {
  readonly #options: ConsoleOptions;
  readonly #sessions: Sessions;
  readonly #links: LoginLinks;
  readonly #oidc: OidcLogin | undefined;

  constructor(options: ConsoleOptions) {
    const { oidc, url, now, lives, store = new MemoryStore(now) } = options;
    this.#options = options;
    this.#sessions = new Sessions(store, now, lives);
    this.#links = new LoginLinks(now);
    this.#oidc = oidc && new OidcLogin(oidc, `${url}${OIDC_CALLBACK}`, store, now);
  }

  /** A link that logs in once. */
  makeLink(who: Pick<Login, 'person' | 'role'>): string {
    return `${this.#options.url}${this.#links.make(who)}`;
  }

  /** Answers a request. What it throws is the server's fault. */
  async answer(request: ConsoleRequest): Promise<Answer> {
    return secured(await this.#answer(request));
  }

  async #answer(request: ConsoleRequest): Promise<Answer> {
    if (request.headers.host !== this.#host()) return refusal(421, 'the console is not called by this name');
    const { method } = request;
    if (method !== 'GET' && method !== 'HEAD' && method !== 'POST')
      return refusal(405, 'the console is asked by GET and POST', { allow: 'GET, HEAD, POST' });
    try {
      if (method === 'POST') return await this.#post(request);
      return await this.#get(request);
    } catch (error) {
      if (error instanceof Refusal) return refusal(403, error.message);
      throw error;
    }
  }

  async #get(request: ConsoleRequest): Promise<Answer> {
    const { path } = request;
    if (path === '/session') return await this.#tellSession(request);
    if (path === '/session/oidc') return await this.#beginOidc();
    if (path === OIDC_CALLBACK) return await this.#finishOidc(request);
    return staticAnswer(request, this.#options.site);
  }

  async #post(request: ConsoleRequest): Promise<Answer> {
    const { path } = request;
    if (!this.#isOwnPage(request)) return refusal(403, 'the call does not come from a page of the console');
    if (path === '/session/link') return await this.#loginByLink(request);
    if (path === '/session/certificate') return await this.#loginByCertificate(request);
    const token = sessionToken(request);
    const used = await this.#sessions.use(token);
    if (used === undefined)
      return refusal(401, 'nobody is logged in', { 'set-cookie': clearCookie(SESSION_COOKIE) });
    const { session, renewed } = used;
    if (request.headers[CSRF] !== session.csrf)
      return refusal(403, 'the CSRF token is not that of the session');
    if (path === '/session/end') return await this.#logout(token);
    const answer = await this.#callFunction(request, session);
    return renewed === undefined ? answer : withCookie(answer, renewed);
  }

  async #callFunction(request: ConsoleRequest, { login }: Session): Promise<Answer> {
    const { path } = request;
    const kind = this.#options.functions.kindOf(path);
    if (kind === undefined) return refusal(404, 'there is no function for the console at this path');
    if (kind === 'changes') {
      if (login.role !== 'administrator') return refusal(403, 'only administrators change something');
      if (request.headers[CONFIRMED] !== 'yes') return refusal(428, 'a change has to be confirmed');
    }
    return await this.#options.functions.call(path, login, request);
  }

  async #tellSession(request: ConsoleRequest): Promise<Answer> {
    const { byCertificate, links = true } = this.#options;
    const methods = { link: links, certificate: byCertificate !== undefined, oidc: this.#oidc !== undefined };
    const used = await this.#sessions.use(sessionToken(request));
    if (used === undefined) return json(200, { methods });
    const { session, renewed } = used;
    const { login, csrf, endsAtMs } = session;
    const answer = json(200, { methods, login, csrf, endsAt: new Date(endsAtMs).toISOString() });
    return renewed === undefined ? answer : withCookie(answer, renewed);
  }

  async #loginByLink(request: ConsoleRequest): Promise<Answer> {
    const secret = await request.readBody(MAX_BODY);
    const login = secret === undefined ? undefined : this.#links.take(Buffer.from(secret).toString('utf8'));
    if (login === undefined) return refusal(403, 'the link was used before, or is over');
    return await this.#opened(request, login, json(200, {}));
  }

  async #loginByCertificate(request: ConsoleRequest): Promise<Answer> {
    const { byCertificate } = this.#options;
    if (byCertificate === undefined) return refusal(404, 'nobody logs in by certificate here');
    return await this.#opened(request, await byCertificate(request), json(200, {}));
  }

  async #beginOidc(): Promise<Answer> {
    if (this.#oidc === undefined) return refusal(404, 'there is no OIDC provider');
    const { location, ticket } = await this.#oidc.begin();
    return redirect(location, { 'set-cookie': setCookie(LOGIN_COOKIE, ticket, 'Lax') });
  }

  /** The browser comes back from another site, so that no cookie that is Strict comes with it. */
  async #finishOidc(request: ConsoleRequest): Promise<Answer> {
    if (this.#oidc === undefined) return refusal(404, 'there is no OIDC provider');
    const ticket = readCookie(request.headers.cookie, LOGIN_COOKIE);
    try {
      const login = await this.#oidc.finish(ticket, request.query);
      return await this.#opened(request, login, redirect('/'));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return redirect('/#login-refused', { 'set-cookie': clearCookie(LOGIN_COOKIE) });
    }
  }

  async #opened(request: ConsoleRequest, login: Login, answer: Answer): Promise<Answer> {
    await this.#options.onSession('login', login);
    await this.#sessions.end(sessionToken(request));
    const { token } = await this.#sessions.open(login);
    return withCookie(answer, token, clearCookie(LOGIN_COOKIE));
  }

  async #logout(token: string | undefined): Promise<Answer> {
    const ended = await this.#sessions.end(token);
    if (ended !== undefined) await this.#options.onSession('logout', ended.login);
    return json(
      200,
      {},
      {
        'set-cookie': [clearCookie(SESSION_COOKIE), clearCookie(LOGIN_COOKIE)],
        'clear-site-data': '"cache", "cookies", "storage"',
      },
    );
  }

  /** Browsers tell where a call comes from; one that does not is none that we serve. */
  #isOwnPage({ headers }: ConsoleRequest): boolean {
    const site = headers['sec-fetch-site'];
    return headers.origin === this.#options.url && (site === undefined || site === 'same-origin');
  }

  #host(): string {
    return new URL(this.#options.url).host;
  }
}

const sessionToken = ({ headers }: ConsoleRequest) => readCookie(headers.cookie, SESSION_COOKIE);

const withCookie = (answer: Answer, token: string, ...more: readonly string[]): Answer => ({
  ...answer,
  headers: { ...answer.headers, 'set-cookie': [setCookie(SESSION_COOKIE, token, 'Strict'), ...more] },
});

function staticAnswer(request: ConsoleRequest, site: Site | undefined): Answer {
  const { path } = request;
  if (site === undefined) return fileAnswer(request, NOT_BUILT, path === '/' ? 503 : 404);
  const file = site.get(path);
  return file === undefined ? refusal(404, 'there is no such page') : fileAnswer(request, file, 200);
}

function fileAnswer({ headers }: ConsoleRequest, file: SiteFile, status: number): Answer {
  const gzip = /\bgzip\b/.test(String(headers['accept-encoding'])) ? file.gzip : undefined;
  return {
    status,
    headers: {
      'content-type': file.type,
      'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...(file.gzip !== undefined && { vary: 'accept-encoding' }),
      ...(gzip !== undefined && { 'content-encoding': 'gzip' }),
    },
    body: gzip ?? file.content,
  };
}
