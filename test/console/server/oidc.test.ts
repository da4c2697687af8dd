import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OidcOptions } from '../../../console/server/oidc.ts';
import type { Answer } from '../../../localstack/http-exchange.ts';
import { CLIENT, LoginProvider } from '../../../localstack/login-provider.ts';
import { type Browser, ConsoleBench, cookieOf, READS } from './console-bench.ts';

/** Who may log in at the provider, and what it says of them. */
const ACCOUNTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  anna: { email: 'anna@operator.example', email_verified: true, groups: ['staff', 'smdpf-admins'] },
  ben: { email: 'ben@operator.example', email_verified: true, groups: ['smdpf-viewers'] },
  eve: { email: 'eve@operator.example', email_verified: true, groups: ['staff'] },
  carl: { email: 'anna@operator.example', email_verified: false, groups: ['smdpf-viewers'] },
  dora: { groups: 'smdpf-viewers', email: 'x', email_verified: true },
};

let provider: LoginProvider;
let issuer: string;
let bench: ConsoleBench;

beforeAll(async () => {
  provider = await LoginProvider.start(0, ACCOUNTS, async (of) => {
    issuer = of;
    bench = await ConsoleBench.open(() => ({ oidc: options() }));
    return `${bench.url}/session/oidc/callback`;
  });
});
afterAll(() => {
  bench.close();
  provider.stop();
});

const options = (): OidcOptions => ({
  issuer,
  clientId: CLIENT,
  rolesClaim: 'groups',
  viewers: ['smdpf-viewers'],
  administrators: ['smdpf-admins'],
});

/** The login as a browser goes through it, up to the URL that the provider leads back to, and the ticket's cookie. */
async function atProvider(
  account: string,
): Promise<{ readonly back: URL; readonly ticket: string; readonly asked: URL }> {
  const begun = await bench.send('/session/oidc');
  const asked = new URL(begun.headers.location!);
  return {
    back: await provider.logIn(asked.href, account),
    ticket: begun.headers['set-cookie']![0]!.split(';', 1)[0]!,
    asked,
  };
}

const comeBack = (back: URL, cookie: string) =>
  bench.send(`${back.pathname}${back.search}`, { headers: { cookie, 'sec-fetch-site': 'cross-site' } });

async function login(account: string): Promise<{ readonly answer: Answer; readonly browser?: Browser }> {
  const { back, ticket } = await atProvider(account);
  const answer = await comeBack(back, ticket);
  return cookieOf(answer) === undefined ? { answer } : { answer, browser: await bench.browserOf(answer) };
}

describe('OpenID Connect', () => {
  it('asks by code flow with PKCE, state and nonce, and keeps the login in a cookie that comes back', async () => {
    const begun = await bench.send('/session/oidc');
    const { searchParams } = new URL(begun.headers.location!);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(begun.headers['set-cookie']).toEqual([
      expect.stringMatching(/^__Host-smdpf-login=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/),
    ]);
  });

  it.each([
    ['anna', 'anna@operator.example', 'administrator'],
    ['ben', 'ben@operator.example', 'viewer'],
  ])('lets %s in under the name and with the role that the provider gives', async (account, person, role) => {
    const { answer, browser } = await login(account);
    expect([answer.status, answer.headers.location]).toEqual([303, '/']);
    await bench.post(READS, browser);
    expect(bench.called.at(-1)).toEqual([READS, { person, role, by: 'oidc' }]);
  });

  it.each(['return', 'returnTo', 'next', 'redirect', 'redirect_uri', 'RelayState', 'target_link_uri'])(
    'leads back to the console alone, whatever %s says',
    async (member) => {
      for (const evil of [
        'https://evil.example/',
        '//evil.example',
        '/\\\\evil.example',
        'javascript:alert(1)',
      ]) {
        const more = `${member}=${encodeURIComponent(evil)}`;
        const begun = await bench.send(`/session/oidc?${more}`);
        const asked = new URL(begun.headers.location!);
        expect([asked.origin, asked.searchParams.get('redirect_uri')]).toEqual([
          new URL(issuer).origin,
          `${bench.url}/session/oidc/callback`,
        ]);
      }
      const { back, ticket } = await atProvider('anna');
      const answer = await comeBack(new URL(`${back.href}&${member}=https%3A%2F%2Fevil.example`), ticket);
      expect(answer.headers.location).toMatch(/^\/(?:#login-refused)?$/);
    },
  );

  it('names nobody by an address that is not verified', async () => {
    const { browser } = await login('carl');
    await bench.post(READS, browser);
    expect(bench.called.at(-1)?.[1]).toMatchObject({ person: 'carl', role: 'viewer' });
  });

  it('takes one role that is no list', async () => {
    expect((await login('dora')).browser).toBeDefined();
  });

  it('lets nobody in who has no role', async () => {
    const { answer } = await login('eve');
    expect([answer.headers.location, cookieOf(answer)]).toEqual(['/#login-refused', undefined]);
  });
});

describe('a login that was not begun in this browser', () => {
  const refused = ({ headers, ...rest }: Answer) =>
    expect([headers.location, cookieOf({ headers, ...rest })]).toEqual(['/#login-refused', undefined]);

  it('is refused without its cookie', async () => {
    const { back } = await atProvider('anna');
    refused(await comeBack(back, ''));
  });

  it("is refused with another login's cookie", async () => {
    const [eve, anna] = [await atProvider('eve'), await atProvider('anna')];
    refused(await comeBack(eve.back, anna.ticket));
  });

  it('is refused with another state', async () => {
    const { back, ticket } = await atProvider('anna');
    back.searchParams.set('state', 'a'.repeat(43));
    refused(await comeBack(back, ticket));
  });

  it('is refused a second time', async () => {
    const { back, ticket } = await atProvider('anna');
    expect(cookieOf(await comeBack(back, ticket))).toBeDefined();
    refused(await comeBack(back, ticket));
  });

  it('is refused after ten minutes', async () => {
    const { back, ticket } = await atProvider('anna');
    bench.now += 10 * 60_000;
    refused(await comeBack(back, ticket));
  });

  it('is refused with a code that the provider never gave', async () => {
    const { back, ticket } = await atProvider('anna');
    back.searchParams.set('code', 'made-up');
    refused(await comeBack(back, ticket));
  });

  it('is refused as that of another provider', async () => {
    const { back, ticket } = await atProvider('anna');
    back.searchParams.set('iss', 'https://evil.example');
    refused(await comeBack(back, ticket));
  });
});
