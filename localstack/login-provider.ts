import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { interactionPolicy } from 'oidc-provider';

export const CLIENT = 'smdpf-console';

/** What the configuration of the emulated stack says of this provider (lib/operators/emulator.ts). */
export const EMULATED = {
  issuer: 'http://127.0.0.1:4790',
  viewers: ['smdpf-viewers'],
  administrators: ['smdpf-administrators'],
} as const;

/** What the provider says of somebody, by the name of the account. */
export type Accounts = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * An Operator's own login, by a real provider of OpenID Connect on this machine: consent is given by the Operator for its own
 * console, and who logs in says the address, `?as=ACCOUNT`, in the place of a page with a password.
 */
export class LoginProvider {
  readonly #server: Server;
  readonly issuer: string;

  private constructor(server: Server) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** `port` 0 for any; `redirectUri` asks for the issuer, which may be part of what is asked. */
  static async start(
    port: number,
    accounts: Accounts,
    redirectUri: (issuer: string) => Promise<string>,
  ): Promise<LoginProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const started = new LoginProvider(server);
    started.#serve(accounts, await redirectUri(started.issuer));
    return started;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** The login as a browser goes through it, from where the console sends it; returns where the provider leads back to. */
  async logIn(asked: string, account: string): Promise<URL> {
    const jar = new Jar();
    const locationOf = (response: Response) => new URL(response.headers.get('location')!, this.issuer).href;
    const interaction = locationOf(await jar.get(asked));
    const resume = locationOf(await jar.get(`${interaction}?as=${account}`));
    return new URL(locationOf(await jar.get(resume)));
  }

  #serve(accounts: Accounts, redirectUri: string): void {
    const policy = interactionPolicy.base();
    policy.remove('consent');
    const oidc = new Provider(this.issuer, {
      clients: [
        {
          client_id: CLIENT,
          token_endpoint_auth_method: 'none',
          redirect_uris: [redirectUri],
          application_type: 'native',
        },
      ],
      pkce: { required: () => true },
      claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: [] },
      conformIdTokenClaims: false,
      findAccount: (_, accountId) => ({
        accountId,
        claims: async () => ({ sub: accountId, ...accounts[accountId] }),
      }),
      loadExistingGrant: async (ctx) => {
        const { client, session } = ctx.oidc;
        const grant = new ctx.oidc.provider.Grant({
          clientId: client!.clientId,
          accountId: session!.accountId!,
        });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
      interactions: { policy, url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      features: { devInteractions: { enabled: false } },
      cookies: { keys: ['test'] },
    });
    const callback = oidc.callback();
    this.#server.on('request', async (request, response) => {
      const [, account] = /^\/interaction\/[^?]+\?as=(\w+)$/.exec(request.url ?? '') ?? [];
      if (account === undefined) return callback(request, response);
      return oidc.interactionFinished(request, response, { login: { accountId: account } });
    });
  }
}

/** What a browser keeps of the provider's cookies. */
class Jar {
  readonly #cookies = new Map<string, string>();

  async get(url: string): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!;
      this.#cookies.set(name!, value!);
    }
    return response;
  }
}
