import assert from 'node:assert/strict';
import { type Answer, exchange } from './http-exchange.ts';
import { EMULATED, LoginProvider } from './login-provider.ts';
import { emulatorUrl, readOutputs } from './outputs.ts';

/**
 * The console of the stack on an emulator, through API Gateway and its Lambda: pages, the login of a real OpenID Connect
 * provider on this machine, sessions in their table, functions by role, and the end of a session. What an emulator has not, a name
 * with a certificate, is held against the template (test/lib/console.test.ts).
 */
const { consoleApi } = readOutputs();
/** As API Gateway itself calls it: an emulator gives it no other name. */
const HOST = `${consoleApi}.execute-api.localhost`;
const ORIGIN = `https://${HOST}`;
const ACCOUNTS = {
  anna: { email: 'anna@operator.example', email_verified: true, groups: [EMULATED.administrators[0]] },
  ben: { email: 'ben@operator.example', email_verified: true, groups: [EMULATED.viewers[0]] },
};

function send(path: string, headers: Readonly<Record<string, string>> = {}, body?: string): Promise<Answer> {
  const { hostname, port } = new URL(emulatorUrl());
  const method = body === undefined ? 'GET' : 'POST';
  return exchange({ hostname, port, path, method, headers: { host: HOST, ...headers } }, body);
}

interface Browser {
  readonly cookie: string;
  readonly csrf: string;
}

const post = (
  path: string,
  { cookie, csrf }: Partial<Browser>,
  members: object = {},
  more: Readonly<Record<string, string>> = {},
) =>
  send(
    path,
    {
      origin: ORIGIN,
      'content-type': 'application/json',
      'x-admin-protocol': 'ifpp-draft/v1.0.0',
      ...(cookie !== undefined && { cookie }),
      ...(csrf !== undefined && { 'x-csrf-token': csrf }),
      ...more,
    },
    JSON.stringify({
      header: { functionRequesterIdentifier: 'console', functionCallIdentifier: 'console-check' },
      ...members,
    }),
  );

const setCookies = ({ headers }: Answer) => [headers['set-cookie'] ?? []].flat();
const cookieOf = (answer: Answer) => setCookies(answer)[0]?.split(';', 1)[0] ?? '';

async function logIn(provider: LoginProvider, account: string): Promise<Browser> {
  const begun = await send('/session/oidc');
  assert.equal(begun.status, 303);
  const asked = new URL(String(begun.headers.location));
  assert.equal(asked.origin, provider.issuer);
  assert.equal(asked.searchParams.get('code_challenge_method'), 'S256');
  assert.equal(asked.searchParams.get('redirect_uri'), `${ORIGIN}/session/oidc/callback`);
  const back = await provider.logIn(asked.href, account);
  const opened = await send(`${back.pathname}${back.search}`, { cookie: cookieOf(begun) });
  assert.deepEqual([opened.status, opened.headers.location], [303, '/']);
  const cookie = cookieOf(opened);
  const { csrf } = JSON.parse((await send('/session', { cookie })).body) as { csrf: string };
  return { cookie, csrf };
}

/** Says what was shown, and by what. */
async function step(what: string, run: () => Promise<string>): Promise<void> {
  const startedAt = performance.now();
  const shown = await run();
  console.log(`[${String(Math.round(performance.now() - startedAt)).padStart(5)} ms] ${what}: ${shown}`);
}

async function look(provider: LoginProvider): Promise<void> {
  await step('pages come from the Lambda, and run nothing from elsewhere', async () => {
    const index = await send('/');
    assert.equal(index.status, 200);
    assert.match(String(index.headers['content-security-policy']), /^default-src 'none'/);
    const [script] = /\/assets\/[\w-]+\.js/.exec(index.body) ?? [];
    const loaded = await send(script!);
    assert.deepEqual(
      [loaded.status, loaded.headers['content-type']],
      [200, 'text/javascript; charset=utf-8'],
    );
    return `${script}, ${loaded.body.length} characters`;
  });
  await step('nobody gets an answer without a login', async () => {
    assert.equal((await post('/ifpp-draft1/ops/getOverview', {})).status, 401);
    assert.deepEqual((JSON.parse((await send('/session')).body) as { methods: object }).methods, {
      link: false,
      certificate: false,
      oidc: true,
    });
    return '401';
  });
  const ben = await logIn(provider, 'ben');
  await step('somebody who looks gets answers, and changes nothing', async () => {
    const { status, body } = await post('/ifpp-draft1/ops/getOverview', ben);
    assert.equal(status, 200, body);
    const suspend = await post(
      '/ifpp-draft1/ops/suspendParty',
      ben,
      { identifier: '2.999.1' },
      { 'x-console-confirmed': 'yes' },
    );
    assert.equal(suspend.status, 403);
    return `health: ${(JSON.parse(body) as { health: { ready: boolean } }).health.ready ? 'ready' : 'not ready'}`;
  });
  const anna = await logIn(provider, 'anna');
  await step('a change is asked for again, and its function answers', async () => {
    const close = (more: Readonly<Record<string, string>>) =>
      post('/ifpp-draft1/ops/closeOrder', anna, { orderId: 'NO-SUCH-ORDER' }, more);
    assert.equal((await close({})).status, 428);
    const { status, body } = await close({ 'x-console-confirmed': 'yes' });
    assert.equal(status, 200);
    assert.match(body, /8\.8\.5/);
    return 'orderUnknown';
  });
  await step('a session that was ended answers nothing any more', async () => {
    assert.equal((await post('/session/end', anna)).status, 200);
    assert.equal((await post('/ifpp-draft1/ops/getOverview', anna)).status, 401);
    assert.equal((await post('/ifpp-draft1/ops/getOverview', ben)).status, 200);
    return 'the other one goes on';
  });
}

const { port } = new URL(EMULATED.issuer);
const provider = await LoginProvider.start(
  Number(port),
  ACCOUNTS,
  async () => `${ORIGIN}/session/oidc/callback`,
);
try {
  await look(provider);
} finally {
  provider.stop();
}
