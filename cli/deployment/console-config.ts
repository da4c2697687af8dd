import { resolve } from 'node:path';
import { CONSOLE_ROLES } from '../../console/server/login.ts';
import type { OidcOptions } from '../../console/server/oidc.ts';
import { Fault } from '../../shared/errors.ts';
import { parseSecretSource, readSecret } from '../../shared/keys/secret-source.ts';
import {
  list,
  object,
  oneOf,
  optional,
  type TypeOf,
  text,
  whole,
} from '../../shared/service/records/schema.ts';

/** The Operator's own login: what docs/console.md says of each member. */
const oidc = object({
  issuer: text,
  clientId: text,
  /** `file:PATH` or `env:NAME`; absent for a client without a secret. */
  clientSecret: optional(text),
  scope: optional(text),
  nameClaim: optional(text),
  rolesClaim: text,
  viewers: list(text),
  administrators: list(text),
});

/** `console` of config.json: without it the server has a console only where a command line asks for one. */
export const consoleConfig = object({
  port: optional(whole),
  /** What browsers call it by, where that is not https://HOST:PORT. */
  publicUrl: optional(text),
  /** Of whoever opens the link that is printed at start; viewer unless given. */
  linkRole: optional(oneOf(...CONSOLE_ROLES)),
  oidc: optional(oidc),
});

export type ConsoleConfig = TypeOf<typeof consoleConfig>;

export const CONSOLE_PORT = 8445;

/** The same with the client's secret itself, read from where it is: a relative path leads from the folder. */
export async function oidcOptions(
  config: ConsoleConfig['oidc'],
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<OidcOptions | undefined> {
  if (config === undefined) return undefined;
  const { clientSecret: source, ...rest } = config;
  requireIssuer(rest.issuer);
  if (source === undefined) return rest;
  const where = parseSecretSource(source, 'console.oidc.clientSecret');
  const secret = await readSecret(
    where.kind === 'file' ? { ...where, path: resolve(folder, where.path) } : where,
    env,
  );
  return { ...rest, clientSecret: Buffer.from(secret).toString('utf8') };
}

/** Over http the provider could be anybody, unless it is on this machine. */
function requireIssuer(issuer: string): void {
  const url = URL.parse(issuer);
  const here = url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url?.protocol !== 'https:' && !here)
    throw new Fault('configuration', 'console.oidc.issuer is not an https URL');
}
