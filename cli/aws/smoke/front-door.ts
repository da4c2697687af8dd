import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientOptions } from '../../../sim/index.ts';
import { DevelopmentPki, pemOf, type TlsPair } from '../../deployment/tls.ts';
import { UsageError } from '../../output/failure.ts';
import type { StackDescription } from '../stack-description.ts';

/** Who calls in a smoke run, by the name of their files. */
export const CALLERS = ['operator', 'maker', 'eum', 'stranger'] as const;
export type CallerName = (typeof CALLERS)[number];

/** Client certificates that the truststore lets in. */
export interface ClientCertificates {
  /** Undefined where there is none, which a stranger may do without. */
  of(name: CallerName): Promise<TlsPair | undefined>;
}

/**
 * From a folder: `ca.cert.pem` and `ca.key.pem` of a CA of the truststore, by which certificates for this run alone are
 * issued, whose keys are nowhere but in memory; or, where that CA's key is elsewhere, `operator.cert.pem`,
 * `operator.key.pem` and the same of `maker` and `eum` (and of `stranger`, who is registered by nobody).
 */
export async function clientCertificates(folder: string): Promise<ClientCertificates> {
  const has = (name: string) => ['cert', 'key'].every((kind) => existsSync(fileOf(folder, name, kind)));
  if (has('ca')) return throwAway(await DevelopmentPki.open(folder));
  const missing = CALLERS.filter((name) => name !== 'stranger' && !has(name));
  if (missing.length > 0)
    throw new UsageError(
      `--pki: ${folder} has neither ca.cert.pem with ca.key.pem nor ${missing[0]}.cert.pem with its key`,
      'Put a CA of the truststore there, or client certificates that the truststore lets in (docs/deploy.md#a-smoke-run).',
    );
  const read = (name: string, kind: string) => readFileSync(fileOf(folder, name, kind), 'utf8');
  return {
    of: async (name) => (has(name) ? { cert: read(name, 'cert'), key: read(name, 'key') } : undefined),
  };
}

const fileOf = (folder: string, name: string, kind: string) => join(folder, `${name}.${kind}.pem`);

/** Certificates for keys that end with the process. */
export function throwAway(pki: Pick<DevelopmentPki, 'issueClient'>): ClientCertificates {
  return {
    async of(name) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' });
      const cert = pemOf(await pki.issueClient(`smoke ${name}`, spki(publicKey)));
      return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    },
  };
}

/** How a party calls the stack: by mutual TLS under its domain, or as an emulator has it. */
export function partyOptions(
  { domains, emulated }: StackDescription,
  functionRequesterIdentifier: string,
  { cert, key }: TlsPair,
): ClientOptions {
  if (emulated === undefined)
    return { baseUrl: `https://${domains.parties.name}`, functionRequesterIdentifier, tls: { cert, key } };
  const headers = { [emulated.certificateHeader]: encodeURIComponent(cert) };
  return { baseUrl: emulatedUrl(emulated.partiesApi), functionRequesterIdentifier, headers };
}

export const fieldOptions = ({ domains, emulated }: StackDescription): ClientOptions => ({
  baseUrl: emulated === undefined ? `https://${domains.field.name}` : emulatedUrl(emulated.fieldApi),
});

/** Where an emulator answers for an HTTP API: a path that LocalStack and MiniStack both have. */
function emulatedUrl(apiId: string): string {
  const { AWS_ENDPOINT_URL: url } = process.env;
  if (url === undefined)
    throw new UsageError('AWS_ENDPOINT_URL names no emulator', 'The stack of these outputs is on one.');
  return `${url.replace(/\/$/, '')}/_aws/execute-api/${apiId}/$default`;
}
