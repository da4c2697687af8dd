import { createHash, X509Certificate } from 'node:crypto';
import { Refusal } from '../../shared/errors.ts';
import { allowFunction, type PartyFunctionPath } from '../../shared/gsma/permissions.ts';
import { TransportRefusal } from '../../shared/gsma/transport-refusal.ts';
import type { Caller, Parties } from '../../shared/service/api/caller.ts';
import type { Event } from '../call.ts';
import type { CallMiddleware } from './middleware.ts';

/**
 * Who calls is the SHA-256 of the client certificate that TLS has proved possession of (I7), never a name in it. The
 * register is asked on every call, so a revoked party is out at once.
 */
export function identifyCaller(parties: Parties, path: PartyFunctionPath): CallMiddleware {
  return {
    before: async ({ event, context: { call } }) => {
      call.caller = await identify(parties, fingerprintOf(event));
      allowFunction(call.caller, path);
    },
  };
}

function fingerprintOf(event: Event): string {
  // API Gateway without mutual TLS leaves `authentication` out or gives null.
  const pem = event.requestContext.authentication?.clientCert?.clientCertPem;
  if (pem === undefined)
    throw new TransportRefusal(403, 'requesterUnknown', 'no client certificate was given');
  try {
    return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
  } catch {
    throw new TransportRefusal(403, 'requesterUnknown', 'the client certificate cannot be read');
  }
}

/** How the register refuses a certificate that it does not know, or that was revoked. */
const NO_PARTY: readonly string[] = ['requesterUnknown', 'requesterNotAllowed'];

async function identify(parties: Parties, fingerprint: string): Promise<Caller> {
  try {
    return await parties.identify(fingerprint);
  } catch (error) {
    if (error instanceof Refusal && NO_PARTY.includes(error.code)) {
      throw new TransportRefusal(403, error.code, error.message);
    }
    throw error;
  }
}
