import { timingSafeEqual } from 'node:crypto';
import { Fault, refuse } from '../../shared/errors.ts';
import { object, text } from '../../shared/service/records/schema.ts';
import { type ConsoleRole, type Login, personName } from './login.ts';
import { digest, newSecret } from './secrets.ts';
import { type ConsoleStore, readStored } from './store.ts';

type Client = typeof import('openid-client');
type Configuration = import('openid-client').Configuration;

/** The Operator's own login. */
export interface OidcOptions {
  /** URL of the provider; http only on this machine. */
  readonly issuer: string;
  readonly clientId: string;
  /** Absent for a client without a secret: PKCE alone. */
  readonly clientSecret?: string;
  /** Asked for beside `openid`. */
  readonly scope?: string;
  /** Claim of the ID token that names the person in the audit log: `email` where it is verified, unless given. */
  readonly nameClaim?: string;
  /** Claim with the roles or groups of the person. */
  readonly rolesClaim: string;
  /** Values of that claim that may look, and that may change too. Who has none of them is not let in. */
  readonly viewers: readonly string[];
  readonly administrators: readonly string[];
}

/** How long somebody may take at the provider. */
const LOGIN_MS = 10 * 60_000;
/** A login that is on its way, as it is stored, in JSON. */
const loginUnderWay = object({ verifier: text, state: text, nonce: text });

/** OpenID Connect by authorization code with PKCE (RFC 7636), state and nonce; tokens never reach the browser. */
export class OidcLogin {
  readonly #options: OidcOptions;
  readonly #redirectUri: string;
  readonly #store: ConsoleStore;
  readonly #now: () => number;
  #opened: Promise<{ readonly client: Client; readonly configuration: Configuration }> | undefined;

  /** `redirectUri` is registered at the provider. `now` in milliseconds since 1970. */
  constructor(options: OidcOptions, redirectUri: string, store: ConsoleStore, now: () => number) {
    this.#options = options;
    this.#redirectUri = redirectUri;
    this.#store = store;
    this.#now = now;
  }

  /** Where the browser goes to log in, and what it has to bring back in a cookie of its own. */
  async begin(): Promise<{ readonly location: string; readonly ticket: string }> {
    const { client, configuration } = await this.#open();
    const ticket = newSecret();
    const login = {
      verifier: client.randomPKCECodeVerifier(),
      state: client.randomState(),
      nonce: client.randomNonce(),
    };
    await this.#store.put(nameOf(ticket), JSON.stringify(login), this.#now() + LOGIN_MS);
    const location = client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#redirectUri,
      scope: `openid ${this.#options.scope ?? 'email profile'}`,
      code_challenge: await client.calculatePKCECodeChallenge(login.verifier),
      code_challenge_method: 'S256',
      state: login.state,
      nonce: login.nonce,
    });
    return { location: location.href, ticket };
  }

  /** Who comes back from the provider with `query`, the part of the URL from `?` on. A login is taken once, whatever comes of it. */
  async finish(ticket: string | undefined, query: string): Promise<Login> {
    const stored = ticket === undefined ? undefined : await this.#store.take(nameOf(ticket));
    if (stored === undefined)
      refuse('requesterNotAllowed', 'this login was not begun in this browser, or took too long');
    const login = readStored(loginUnderWay, stored);
    const { client, configuration } = await this.#open();
    const { searchParams } = new URL(`${this.#redirectUri}${query}`);
    if (!sameText(searchParams.get('state') ?? '', login.state))
      refuse('requesterNotAllowed', 'the provider answered another login than the one that was begun');
    let claims: Readonly<Record<string, unknown>> | undefined;
    try {
      const tokens = await client.authorizationCodeGrant(
        configuration,
        new URL(`${this.#redirectUri}${query}`),
        {
          pkceCodeVerifier: login.verifier,
          expectedState: login.state,
          expectedNonce: login.nonce,
          idTokenExpected: true,
        },
      );
      claims = tokens.claims();
    } catch {
      // what the provider says may repeat the code
      refuse('requesterNotAllowed', 'the provider did not confirm the login');
    }
    return this.#login(claims ?? {});
  }

  #login(claims: Readonly<Record<string, unknown>>): Login {
    const role = this.#role(claims[this.#options.rolesClaim]);
    return { person: this.#name(claims), role, by: 'oidc' };
  }

  /** An address that nobody has verified names nobody. */
  #name(claims: Readonly<Record<string, unknown>>): string {
    const { nameClaim } = this.#options;
    if (nameClaim !== undefined) return personName(claims[nameClaim]);
    return personName(claims.email_verified === true ? claims.email : claims.sub);
  }

  #role(claimed: unknown): ConsoleRole {
    const { viewers, administrators } = this.#options;
    const values: readonly unknown[] = Array.isArray(claimed) ? claimed : [claimed];
    const among = (known: readonly string[]) =>
      values.some((value) => typeof value === 'string' && known.includes(value));
    if (among(administrators)) return 'administrator';
    if (among(viewers)) return 'viewer';
    return refuse('requesterNotAllowed', 'the provider gives this person no role in the console');
  }

  /** The provider is asked what it is when somebody logs in; one that could not be reached is asked again. */
  #open() {
    this.#opened ??= this.#discover().catch((cause: unknown) => {
      this.#opened = undefined;
      throw new Fault('configuration', `the OIDC provider ${this.#options.issuer} cannot be used`, {
        cause,
        retryable: true,
      });
    });
    return this.#opened;
  }

  async #discover() {
    const client = await import('openid-client');
    const { issuer, clientId, clientSecret } = this.#options;
    const url = new URL(issuer);
    const insecure = url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
    const configuration = await client.discovery(
      url,
      clientId,
      undefined,
      clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret),
      insecure ? { execute: [client.allowInsecureRequests] } : {},
    );
    return { client, configuration };
  }
}

const nameOf = (ticket: string): string => `login ${digest(ticket)}`;

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
