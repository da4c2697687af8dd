import { createHash, X509Certificate } from 'node:crypto';
import { Refusal } from '../errors.ts';
import type { Caller, ClientCertificate, Parties } from '../service/api/caller.ts';
import type { HttpRequest } from './received-call.ts';
import { TransportRefusal } from './transport-refusal.ts';

/**
 * Who calls is the SHA-256 of the client certificate that TLS has proved possession of (I7), never a name in it. The
 * register is asked on every call, so a revoked party is out at once, and one whose certificate expires in that second.
 */
export async function identifyCaller(
  parties: Parties,
  { clientCertificate }: Pick<HttpRequest, 'clientCertificate'>,
): Promise<Caller> {
  return await identify(parties, readCertificate(clientCertificate));
}

/**
 * The caller as this process remembers it, while the register is asked; undefined where it was not here before.
 * `confirmed` is of the same rules as `identifyCaller`.
 */
export function rememberedCaller(
  parties: Parties,
  { clientCertificate }: Pick<HttpRequest, 'clientCertificate'>,
): { readonly caller: Caller; readonly confirmed: Promise<unknown> } | undefined {
  const certificate = readCertificate(clientCertificate);
  const caller = parties.remembered?.(certificate.fingerprint);
  return caller && { caller, confirmed: identify(parties, certificate) };
}

async function identify(parties: Parties, certificate: ClientCertificate): Promise<Caller> {
  try {
    return await parties.identify(certificate);
  } catch (error) {
    if (error instanceof Refusal && NO_PARTY.includes(error.code)) {
      throw new TransportRefusal(403, error.code, error.message);
    }
    throw error;
  }
}

/** How the register refuses a certificate that it does not know, that was revoked or that has expired. */
const NO_PARTY: readonly string[] = ['requesterUnknown', 'requesterNotAllowed'];

/** What octets say that come again with each request of a connection. */
const read = new WeakMap<Uint8Array, ClientCertificate>();

function readCertificate(certificate: HttpRequest['clientCertificate']): ClientCertificate {
  if (certificate === undefined)
    throw new TransportRefusal(403, 'requesterUnknown', 'no client certificate was given');
  const known = typeof certificate === 'string' ? undefined : read.get(certificate);
  if (known !== undefined) return known;
  try {
    const { raw, validFrom, validTo } = new X509Certificate(certificate);
    const said = {
      fingerprint: createHash('sha256').update(raw).digest('hex'),
      notBeforeMs: Date.parse(validFrom),
      notAfterMs: Date.parse(validTo),
    };
    if (typeof certificate !== 'string') read.set(certificate, said);
    return said;
  } catch {
    throw new TransportRefusal(403, 'requesterUnknown', 'the client certificate cannot be read');
  }
}
