import { createHash, X509Certificate } from 'node:crypto';
import { Refusal } from '../errors.ts';
import type { Caller, Parties } from '../service/api/caller.ts';
import type { HttpRequest } from './received-call.ts';
import { TransportRefusal } from './transport-refusal.ts';

/**
 * Who calls is the SHA-256 of the client certificate that TLS has proved possession of (I7), never a name in it. The
 * register is asked on every call, so a revoked party is out at once.
 */
export async function identifyCaller(
  parties: Parties,
  { clientCertificate }: Pick<HttpRequest, 'clientCertificate'>,
): Promise<Caller> {
  const fingerprint = fingerprintOf(clientCertificate);
  try {
    return await parties.identify(fingerprint);
  } catch (error) {
    if (error instanceof Refusal && NO_PARTY.includes(error.code)) {
      throw new TransportRefusal(403, error.code, error.message);
    }
    throw error;
  }
}

/** How the register refuses a certificate that it does not know, or that was revoked. */
const NO_PARTY: readonly string[] = ['requesterUnknown', 'requesterNotAllowed'];

function fingerprintOf(certificate: HttpRequest['clientCertificate']): string {
  if (certificate === undefined)
    throw new TransportRefusal(403, 'requesterUnknown', 'no client certificate was given');
  try {
    return createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex');
  } catch {
    throw new TransportRefusal(403, 'requesterUnknown', 'the client certificate cannot be read');
  }
}
