import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHANGES, ConsoleBench, cookieOf, READS } from './console-bench.ts';

let bench: ConsoleBench;
beforeAll(async () => {
  bench = await ConsoleBench.open();
});
afterAll(() => bench.close());
beforeEach(() => {
  bench.called.length = 0;
});

const MINUTE = 60_000;
const CONFIRMED = { 'x-console-confirmed': 'yes' };

describe('without a login', () => {
  it.each([READS, CHANGES, '/session/end'])('%s is answered 401 and calls nothing', async (path) => {
    expect((await bench.post(path, {}, CONFIRMED)).status).toBe(401);
    expect(bench.called).toEqual([]);
  });

  it('the session tells how to log in, and nothing of anybody', async () => {
    expect(JSON.parse((await bench.send('/session')).body)).toEqual({
      methods: { link: true, certificate: false, oidc: false },
    });
  });

  it.each([
    ['made up', `__Host-smdpf-session=${'a'.repeat(43)}`],
    ['empty', '__Host-smdpf-session='],
    ['given twice', (own: string) => `${own}; ${own}`],
    ['under another name', (own: string) => own.replace('__Host-smdpf-session', 'session')],
    ['followed by more', (own: string) => `${own}x`],
  ])('a cookie that is %s is none', async (_, made) => {
    const { cookie, csrf } = await bench.login('viewer');
    const other = typeof made === 'string' ? made : made(cookie);
    expect((await bench.post(READS, { cookie: other, csrf })).status).toBe(401);
  });
});

describe('a link', () => {
  it('has its secret where no server and no log sees it', () => {
    expect(new URL(bench.console.makeLink({ person: 'anna', role: 'viewer' })).hash).toMatch(
      /^#login=[\w-]{43}$/,
    );
  });

  it('logs in once', async () => {
    const secret = new URL(bench.console.makeLink({ person: 'anna', role: 'viewer' })).hash.slice(7);
    expect(cookieOf(await bench.post('/session/link', {}, {}, secret))).toBeDefined();
    const again = await bench.post('/session/link', {}, {}, secret);
    expect([again.status, cookieOf(again)]).toEqual([403, undefined]);
  });

  it('is over after an hour', async () => {
    const secret = new URL(bench.console.makeLink({ person: 'anna', role: 'viewer' })).hash.slice(7);
    bench.now += 60 * MINUTE;
    expect((await bench.post('/session/link', {}, {}, secret)).status).toBe(403);
  });

  it('logs in nobody by what a Referer, a query or a path could have told of it', async () => {
    const secret = new URL(bench.console.makeLink({ person: 'anna', role: 'viewer' })).hash.slice(7);
    const referer = `${bench.url}/#login=${secret}`;
    for (const path of [`/?login=${secret}`, `/login=${secret}`, `/session?login=${secret}`])
      expect((await bench.send(path, { headers: { referer } })).headers['set-cookie']).toBeUndefined();
    expect((await bench.send('/session/link', { headers: { referer } })).status).toBe(404);
    expect((await bench.post('/session/link', {}, { referer }, '')).status).toBe(403);
    // whoever is sent elsewhere from here tells no address, and the link is still good for one login
    expect((await bench.send('/')).headers['referrer-policy']).toBe('no-referrer');
    expect((await bench.post('/session/link', {}, {}, secret)).status).toBe(200);
  });

  it.each(['', 'x', 'a'.repeat(43), 'a'.repeat(10_000)])('of %j lets nobody in', async (secret) => {
    expect((await bench.post('/session/link', {}, {}, secret)).status).toBe(403);
  });
});

describe('a session', () => {
  it('has a cookie that no script reads, no other site sends and no other host sets', async () => {
    const secret = new URL(bench.console.makeLink({ person: 'anna', role: 'viewer' })).hash.slice(7);
    const [set] = (await bench.post('/session/link', {}, {}, secret)).headers['set-cookie']!;
    expect(set).toMatch(/^__Host-smdpf-session=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
  });

  it('calls functions under the name of who has logged in', async () => {
    await bench.post(READS, await bench.login('viewer', 'ben'));
    expect(bench.called).toEqual([[READS, { person: 'ben', role: 'viewer', by: 'link' }]]);
  });

  it('is another one after each login, and the one before is over', async () => {
    const before = await bench.login('viewer');
    const secret = new URL(bench.console.makeLink({ person: 'anna', role: 'viewer' })).hash.slice(7);
    const after = await bench.browserOf(await bench.post('/session/link', before, {}, secret));
    expect(after.cookie).not.toBe(before.cookie);
    expect((await bench.post(READS, before)).status).toBe(401);
    expect((await bench.post(READS, after)).status).toBe(200);
  });

  it('is none that somebody else has chosen: a cookie that was put into the browser is not the one that logs in', async () => {
    const chosen = `__Host-smdpf-session=${'F'.repeat(43)}`;
    const secret = new URL(bench.console.makeLink({ person: 'anna', role: 'viewer' })).hash.slice(7);
    const answer = await bench.post('/session/link', { cookie: chosen }, {}, secret);
    expect(cookieOf(answer)).not.toBe(chosen);
    const told = await bench.send('/session', { headers: { cookie: chosen } });
    expect(JSON.parse(told.body)).not.toHaveProperty('login');
    // nor that of a session of somebody else, which ends with the login
    const eve = await bench.login('viewer', 'eve');
    const other = new URL(bench.console.makeLink({ person: 'ben', role: 'viewer' })).hash.slice(7);
    const ben = await bench.browserOf(await bench.post('/session/link', eve, {}, other));
    expect(ben.cookie).not.toBe(eve.cookie);
    expect((await bench.post(READS, eve)).status).toBe(401);
  });

  it('ends after half an hour without a call, and goes on with one', async () => {
    let browser = await bench.login('viewer');
    for (let minutes = 0; minutes < 60; minutes += 29) {
      bench.now += 29 * MINUTE;
      const answer = await bench.post(READS, browser);
      expect(answer.status).toBe(200);
      browser = { ...browser, cookie: cookieOf(answer)! };
    }
    bench.now += 30 * MINUTE;
    expect((await bench.post(READS, browser)).status).toBe(401);
  });

  it('ends after twelve hours whatever is called', async () => {
    let browser = await bench.login('viewer');
    const end = bench.now + 12 * 60 * MINUTE;
    for (; bench.now + 20 * MINUTE < end; ) {
      bench.now += 20 * MINUTE;
      const answer = await bench.post(READS, browser);
      expect(answer.status).toBe(200);
      browser = { ...browser, cookie: cookieOf(answer) ?? browser.cookie };
    }
    bench.now = end;
    expect((await bench.post(READS, browser)).status).toBe(401);
  });

  it('has another cookie after a quarter of an hour; the one before is good for what is under way', async () => {
    const browser = await bench.login('viewer');
    expect(cookieOf(await bench.post(READS, browser))).toBeUndefined();
    bench.now += 15 * MINUTE;
    const renewed = cookieOf(await bench.post(READS, browser));
    expect(renewed).toBeDefined();
    bench.now += 29_000;
    expect((await bench.post(READS, browser)).status).toBe(200);
    bench.now += 1_000;
    expect((await bench.post(READS, browser)).status).toBe(401);
    expect((await bench.post(READS, { ...browser, cookie: renewed! })).status).toBe(200);
  });

  it('is over once it is ended, under each of its cookies', async () => {
    const browser = await bench.login('viewer');
    bench.now += 15 * MINUTE;
    const renewed = { ...browser, cookie: cookieOf(await bench.post(READS, browser))! };
    const ended = await bench.post('/session/end', renewed);
    expect(ended.headers['set-cookie']?.[0]).toMatch(/^__Host-smdpf-session=; .*Max-Age=0$/);
    expect(ended.headers['clear-site-data']).toBe('"cache", "cookies", "storage"');
    expect((await bench.post(READS, renewed)).status).toBe(401);
    expect((await bench.post(READS, browser)).status).toBe(401);
    expect(bench.told.slice(-2)).toEqual([
      ['login', 'anna'],
      ['logout', 'anna'],
    ]);
  });
});

describe('a call from elsewhere', () => {
  it.each([
    ['of another origin', { origin: 'https://evil.example' }],
    ['of no origin', { origin: '' }],
    ['of a sandboxed page', { origin: 'null' }],
    ['of another port of this host', { origin: 'http://127.0.0.1:1' }],
    ['across sites', { 'sec-fetch-site': 'cross-site' }],
    ['of another host of this site', { 'sec-fetch-site': 'same-site' }],
    ['without the CSRF token', { 'x-csrf-token': '' }],
    ['with a CSRF token that is made up', { 'x-csrf-token': 'a'.repeat(43) }],
  ])('%s is answered 403 and calls nothing', async (_, headers) => {
    const browser = await bench.login('administrator');
    expect((await bench.post(CHANGES, browser, { ...CONFIRMED, ...headers })).status).toBe(403);
    expect(bench.called).toEqual([]);
  });

  it("with another session's CSRF token is answered 403", async () => {
    const [anna, ben] = [await bench.login('administrator', 'anna'), await bench.login('viewer', 'ben')];
    expect((await bench.post(CHANGES, { ...anna, csrf: ben.csrf }, CONFIRMED)).status).toBe(403);
    expect((await bench.post(CHANGES, { ...ben, csrf: anna.csrf }, CONFIRMED)).status).toBe(403);
  });

  it('cannot log a browser in as somebody else', async () => {
    const secret = new URL(bench.console.makeLink({ person: 'eve', role: 'viewer' })).hash.slice(7);
    const answer = await bench.post('/session/link', {}, { origin: 'https://evil.example' }, secret);
    expect([answer.status, cookieOf(answer)]).toEqual([403, undefined]);
  });

  it('to another name of this host is answered 421, so that no name of others leads here', async () => {
    const browser = await bench.login('viewer');
    for (const host of ['evil.example', `localhost:${new URL(bench.url).port}`])
      expect((await bench.post(READS, browser, { host })).status).toBe(421);
  });

  it.each(['PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'])('by %s is answered 405', async (method) => {
    expect((await bench.send(CHANGES, { method, headers: { origin: bench.url } })).status).toBe(405);
  });

  it('by GET calls no function', async () => {
    const { cookie } = await bench.login('administrator');
    expect((await bench.send(CHANGES, { headers: { cookie } })).status).toBe(404);
    expect(bench.called).toEqual([]);
  });
});

describe('a role', () => {
  it.each([
    ['viewer', READS, {}, 200],
    ['viewer', CHANGES, CONFIRMED, 403],
    ['administrator', READS, {}, 200],
    ['administrator', CHANGES, CONFIRMED, 200],
    ['administrator', CHANGES, {}, 428],
    ['administrator', CHANGES, { 'x-console-confirmed': 'no' }, 428],
    ['administrator', '/ifpp-draft1/es2f/closeOrder', CONFIRMED, 404],
    ['administrator', '/ifpp-draft1/esbpp/requestBpp', CONFIRMED, 404],
  ] as const)('%s at %s with %j is answered %i', async (role, path, headers, status) => {
    expect((await bench.post(path, await bench.login(role), headers)).status).toBe(status);
    expect(bench.called).toHaveLength(status === 200 ? 1 : 0);
  });
});

describe('every answer', () => {
  it.each(['/', '/session', '/nowhere', READS])(
    'of GET %s runs nothing from elsewhere and is framed by nobody',
    async (path) => {
      const { headers } = await bench.send(path);
      expect(headers['content-security-policy']).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self' data:; " +
          "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
      );
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
    },
  );

  it('about a session or of a function is kept by nobody', async () => {
    const browser = await bench.login('viewer');
    for (const { headers } of [
      await bench.send('/session', { headers: { cookie: browser.cookie } }),
      await bench.post('/nowhere', browser),
    ])
      expect(headers['cache-control']).toBe('no-store');
  });

  it.each([
    '/%0d%0aset-cookie:%20a=b',
    '/session/oidc/callback?code=a%0d%0aset-cookie:%20a=b&state=x',
    '/..%2f..%2fpackage.json',
    '/../../package.json',
    '//evil.example/',
    '/assets/../../../package.json',
  ])('to GET %s has no header and no file that the path names', async (path) => {
    const { status, headers, body } = await bench.send(path);
    expect([status, headers['set-cookie'], headers.location]).toEqual([404, undefined, undefined]);
    expect(body).not.toContain('smdpf-');
  });
});

it('what is not built says how to build it', async () => {
  const bare = await ConsoleBench.open(() => ({ site: undefined }));
  const { status, body } = await bare.send('/');
  bare.close();
  expect(status).toBe(503);
  expect(body).toContain('npm run console:build');
});
