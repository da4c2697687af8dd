import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Login } from '../../console/server/login.ts';
import { Sessions } from '../../console/server/sessions.ts';
import { MemoryStore } from '../../console/server/store.ts';
import type { Event } from '../../lambdas/api-gateway.ts';
import { type ConsoleEnvironment, consoleHandler } from '../../lambdas/console/serve.ts';
import { readSettings } from '../../lambdas/console/settings.ts';
import type { LogRecord } from '../../shared/events/log-events.ts';
import { memoryServices } from '../support/memory-services.ts';

const URL = 'https://console.operator.example';
const site = await mkdtemp(join(tmpdir(), 'smdpf-site-'));
await writeFile(join(site, 'index.html'), '<!doctype html><title>pages</title>');
afterAll(() => rm(site, { recursive: true }));

const settings = {
  url: URL,
  table: 'sessions',
  oidc: {
    issuer: 'https://login.example',
    clientId: 'c',
    rolesClaim: 'groups',
    viewers: ['v'],
    administrators: ['a'],
  },
};
const now = () => Date.parse('2026-06-01T08:00:00Z');
const context = { getRemainingTimeInMillis: () => 20_000 };
let store: MemoryStore;
let lines: LogRecord[];
let told: string[];
beforeEach(() => {
  store = new MemoryStore(now);
  lines = [];
  told = [];
});

/** An execution environment of Lambda; all of them have the same store. */
const environment = (more: Partial<ConsoleEnvironment> = {}) =>
  consoleHandler(async () => ({
    settings,
    services: memoryServices(),
    now,
    onSession: async (what, { person }) => {
      told.push(`${what} ${person}`);
    },
    store,
    site,
    log: (line) => lines.push(line),
    ...more,
  }));

interface Sent {
  readonly method?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: string[];
  readonly body?: string;
}

function event(path: string, { method = 'GET', query = '', headers = {}, cookies, body }: Sent = {}): Event {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    headers: { host: new globalThis.URL(URL).host, ...headers },
    ...(cookies !== undefined && { cookies }),
    ...(body !== undefined && { body: Buffer.from(body).toString('base64') }),
    isBase64Encoded: body !== undefined,
    requestContext: { domainName: 'abc.execute-api.test', http: { method } } as Event['requestContext'],
  };
}

async function call(serve: ReturnType<typeof environment>, path: string, sent?: Sent) {
  const { statusCode, headers = {}, cookies = [], body = '' } = await serve(event(path, sent), context);
  return { statusCode, headers, cookies, text: Buffer.from(body, 'base64').toString() };
}

/** A browser in which somebody has logged in at the provider. */
async function loggedIn(role: Login['role'] = 'administrator'): Promise<Sent> {
  const { token, session } = await new Sessions(store, now).open({ person: 'anna', role, by: 'oidc' });
  return {
    method: 'POST',
    headers: {
      origin: URL,
      'x-csrf-token': session.csrf,
      'content-type': 'application/json',
      'x-admin-protocol': 'ifpp-draft/v1.0.0',
    },
    cookies: [`other=1`, `__Host-smdpf-session=${token}`],
    body: '{}',
  };
}

describe('the console behind API Gateway', () => {
  it('gives pages to everybody, with what keeps other pages away, and no body to HEAD', async () => {
    const serve = environment();
    const { statusCode, headers, text } = await call(serve, '/');
    expect([statusCode, text]).toEqual([200, '<!doctype html><title>pages</title>']);
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'x-frame-options': 'DENY' });
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'/);
    expect((await call(serve, '/', { method: 'HEAD' })).text).toBe('');
    expect((await call(serve, '/assets/../index.html')).statusCode).toBe(404);
  });

  it('lets people in by the login of the Operator alone', async () => {
    expect(JSON.parse((await call(environment(), '/session')).text)).toEqual({
      methods: { link: false, certificate: false, oidc: true },
    });
    const asked = await call(environment(), '/session/certificate', {
      method: 'POST',
      headers: { origin: URL },
      body: '',
    });
    expect(asked.statusCode).toBe(404);
    const back = await call(environment(), '/session/oidc/callback', { query: 'code=x&state=y' });
    expect([back.statusCode, back.headers.location]).toEqual([303, '/#login-refused']);
  });

  it('knows a session in every environment, and ends it in all of them', async () => {
    const browser = await loggedIn();
    const first = environment();
    expect((await call(first, '/ifpp-draft1/ops/listParties', browser)).statusCode).toBe(200);
    const second = environment();
    expect((await call(second, '/session/end', browser)).statusCode).toBe(200);
    expect(told).toEqual(['logout anna']);
    for (const one of [first, second, environment()])
      expect((await call(one, '/ifpp-draft1/ops/listParties', browser)).statusCode).toBe(401);
  });

  it('asks the same of a change as the embedded server does', async () => {
    const administrator = await loggedIn();
    const change = '/ifpp-draft1/ops/suspendParty';
    const status = async (sent: Sent) => (await call(environment(), change, sent)).statusCode;
    const more = (headers: Record<string, string>) => ({
      ...administrator,
      headers: { ...administrator.headers, ...headers },
    });
    expect(await status(administrator)).toBe(428);
    expect(await status(more({ 'x-console-confirmed': 'yes' }))).toBe(200);
    expect(await status(more({ 'x-console-confirmed': 'yes', origin: 'https://evil.example' }))).toBe(403);
    expect(await status(more({ 'x-console-confirmed': 'yes', 'x-csrf-token': 'a'.repeat(43) }))).toBe(403);
    const viewer = await loggedIn('viewer');
    expect(await status({ ...viewer, headers: { ...viewer.headers, 'x-console-confirmed': 'yes' } })).toBe(
      403,
    );
    const { cookies: _, ...nobody } = administrator;
    expect(await status(nobody)).toBe(401);
  });

  it('is called by its own name, which only an emulator has from each event', async () => {
    const other = { headers: { host: 'evil.example' } };
    expect((await call(environment(), '/', other)).statusCode).toBe(421);
    const { url: _, ...nameless } = settings;
    const emulated = environment({ settings: nameless });
    expect((await call(emulated, '/', { headers: { host: 'abc.execute-api.test' } })).statusCode).toBe(200);
    expect((await call(emulated, '/', other)).statusCode).toBe(421);
  });

  it('answers a failure of ours with its incident alone, and goes on with the next call', async () => {
    let ill = true;
    const failing = environment({
      store: {
        get: async () => {
          if (ill) throw new Error('the table has 7 secrets');
          return undefined;
        },
        put: async () => true,
        take: async () => undefined,
      },
    });
    const browser = await loggedIn();
    const failed = await call(
      failing,
      '/session',
      browser.cookies === undefined ? {} : { cookies: browser.cookies },
    );
    expect(failed.statusCode).toBe(500);
    expect(failed.headers['content-security-policy']).toBeDefined();
    expect(failed.text).not.toContain('secrets');
    const [line] = lines;
    expect(line).toMatchObject({ event: 'fault', function: 'console' });
    ill = false;
    expect((await call(failing, '/session')).statusCode).toBe(200);
  });
});

it('settings say what is wrong with them', () => {
  expect(readSettings(JSON.stringify(settings))).toEqual(settings);
  expect(() => readSettings('{"table":"x"}')).toThrow(/SMDPF_CONSOLE has no member `oidc`/);
  expect(() => readSettings(JSON.stringify({ ...settings, secret: 1 }))).toThrow('unknown member');
});
