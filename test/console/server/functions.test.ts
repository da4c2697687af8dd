import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../cli/deployment/free-port.ts';
import { limitsOf } from '../../../cli/server/admission/limits.ts';
import { type RunningConsole, startConsole } from '../../../cli/server/console.ts';
import type { Login } from '../../../console/server/login.ts';
import { type FunctionPath, functionAt, functionPaths } from '../../../shared/gsma/functions/index.ts';
import { urlPaths } from '../../../shared/gsma/paths.ts';
import type { PartyRole } from '../../../shared/service/api/caller.ts';
import { type Answer, httpsSend } from '../../support/https-send.ts';
import { IDENTIFIERS, memoryServices } from '../../support/memory-services.ts';
import { requestOf } from '../../support/openapi.ts';
import { type SelfSigned, selfSigned } from '../../support/self-signed.ts';

/*
 * Role × function at the console itself, over TLS, with every function of every interface: what people may call, what they may
 * change, and what is for nobody here, from the rows of shared/gsma/functions.
 */

const SCRIPT = '<script>alert(1)</script><img src=x onerror=alert(1)>';
const services = memoryServices();
const tls = selfSigned('console');
const certificates = new Map<PartyRole, SelfSigned>();
let console: RunningConsole;
const browsers = new Map<string, { readonly cookie: string; readonly csrf: string }>();

beforeAll(async () => {
  for (const [role, identifier] of Object.entries(IDENTIFIERS) as [PartyRole, string][]) {
    const certificate = selfSigned(role);
    const { fingerprint } = certificate;
    services.register.set(fingerprint, { identifier, role, fingerprint, name: SCRIPT });
    certificates.set(role, certificate);
  }
  const port = await freePort('127.0.0.1', 0);
  console = await startConsole({
    url: `https://127.0.0.1:${port}`,
    site: undefined,
    services,
    tls,
    listen: { host: '127.0.0.1', port },
    limits: limitsOf(undefined).parties,
    health: async () => ({ status: 'ok', stores: {} }),
    log: () => undefined,
    now: () => Date.now(),
    onSession: async () => undefined,
  });
  for (const role of ['viewer', 'administrator'] as const) browsers.set(role, await loggedIn(role));
});
afterAll(() => console?.close());

const post = (
  path: string,
  headers: Readonly<Record<string, string>>,
  body = '{}',
  certificate?: SelfSigned,
) =>
  httpsSend(tls, `${console.url}${path}`, {
    method: 'POST',
    headers: { origin: console.url, 'content-type': 'application/json', ...headers },
    body,
    certificate,
  });

async function loggedIn(role: Login['role']) {
  const secret = new URL(console.makeLink({ person: role, role })).hash.slice('#login='.length);
  return await sessionOf(await post('/session/link', {}, secret));
}

async function sessionOf({ headers }: Answer) {
  const [set = ''] = [headers['set-cookie'] ?? []].flat();
  const cookie = set.split(';', 1)[0]!;
  const told = await httpsSend(tls, `${console.url}/session`, { headers: { cookie } });
  const { csrf, login } = JSON.parse(told.body.toString()) as { csrf: string; login: Login };
  return { cookie, csrf, login };
}

/** A call as the pages make it, with the first example of the function. */
function called(role: string, path: FunctionPath, url: string, confirmed: boolean): Promise<Answer> {
  const { cookie = '', csrf = '' } = browsers.get(role) ?? {};
  const example = Object.values(requestOf(path).content['application/json']?.examples ?? {})[0];
  const { header: _, ...body } = example?.value ?? {};
  return post(
    url,
    {
      ...(cookie !== '' && { cookie, 'x-csrf-token': csrf }),
      ...(confirmed && { 'x-console-confirmed': 'yes' }),
      'x-admin-protocol': 'ifpp-draft/v1.0.0',
    },
    JSON.stringify(body),
  );
}

const ALL = functionPaths.map(
  (path) => [path, functionAt(path).role, urlPaths(functionAt(path))[0]!] as const,
);
const FOR_PEOPLE = ALL.filter(
  ([path, role]) => ['viewer', 'administrator'].includes(role) && !path.endsWith('.openTransfer'),
);
const FOR_OTHERS = ALL.filter((row) => !FOR_PEOPLE.includes(row));

describe('role × function at the console', () => {
  it('there are functions of both kinds', () => {
    expect(FOR_PEOPLE.filter(([, role]) => role === 'viewer').length).toBeGreaterThan(15);
    expect(FOR_PEOPLE.filter(([, role]) => role === 'administrator').length).toBeGreaterThan(5);
  });

  it.each(FOR_PEOPLE)('%s, for a %s', async (path, role, url) => {
    const reads = role === 'viewer';
    expect((await called('nobody', path, url, true)).status).toBe(401);
    expect((await called('viewer', path, url, true)).status).toBe(reads ? 200 : 403);
    expect((await called('administrator', path, url, false)).status).toBe(reads ? 200 : 428);
    const { status, headers } = await called('administrator', path, url, true);
    expect([status, headers['content-type'], headers['x-content-type-options']]).toEqual([
      200,
      'application/json',
      'nosniff',
    ]);
  });

  it.each(FOR_OTHERS)('%s, for a %s with a certificate, is for nobody here', async (path, _, url) => {
    expect((await called('administrator', path, url, true)).status).toBe(404);
  });
});

describe('a login by client certificate', () => {
  it.each(Object.keys(IDENTIFIERS) as PartyRole[])('of a party with the role %s', async (role) => {
    const answer = await post('/session/certificate', {}, '', certificates.get(role));
    const mayLogIn = role === 'viewer' || role === 'administrator';
    expect(answer.status).toBe(mayLogIn ? 200 : 403);
    expect(answer.headers['set-cookie'] !== undefined).toBe(mayLogIn);
    // the role is that of the register, whatever else the browser has
    if (mayLogIn) expect((await sessionOf(answer)).login).toMatchObject({ role, by: 'certificate' });
  });

  it('that nobody has registered, and without one', async () => {
    expect((await post('/session/certificate', {}, '', selfSigned('stranger'))).status).toBe(403);
    expect((await post('/session/certificate', {}, '')).status).toBe(403);
  });

  it('whose party is called by a script gives that as JSON, which no browser takes for a page', async () => {
    const { cookie } = await sessionOf(
      await post('/session/certificate', {}, '', certificates.get('viewer')),
    );
    const { headers, body } = await httpsSend(tls, `${console.url}/session`, { headers: { cookie } });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
    });
    expect(JSON.parse(body.toString())).toMatchObject({ login: { person: SCRIPT } });
  });
});

it('a session that was ended calls nothing any more, under no role', async () => {
  for (const role of ['viewer', 'administrator'] as const) {
    const { cookie, csrf } = await loggedIn(role);
    const end = await post('/session/end', { cookie, 'x-csrf-token': csrf });
    expect(end.headers['clear-site-data']).toBe('"cache", "cookies", "storage"');
    expect((await post('/ifpp-draft1/ops/getOverview', { cookie, 'x-csrf-token': csrf })).status).toBe(401);
  }
});
