import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { CallCost, counting } from '../shared/call-cost.ts';
import type { HttpAnswer } from '../shared/gsma/http-answer.ts';
import { httpFunction } from '../shared/gsma/http-function.ts';
import type { InterfaceFunction } from '../shared/gsma/interface-function.ts';
import type { HttpRequest } from '../shared/gsma/received-call.ts';
import type { CallOptions } from '../shared/gsma/record-call.ts';
import type { Caller } from '../shared/service/api/caller.ts';
import type { Services } from '../shared/service/api/services.ts';

/** An API Gateway HTTP API event, payload format 2.0. */
export type Event = APIGatewayProxyEventV2;
export type Result = APIGatewayProxyStructuredResultV2;

export type FunctionHandler = (
  event: Event,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<Result>;

/** One JSON line per record on standard output, where CloudWatch finds it. */
export const defaultOptions: CallOptions = {
  log: (record) => console.log(JSON.stringify(record)),
  now: () => performance.now(),
  newIncident: randomUUID,
};

/** A function behind API Gateway, which has ended mutual TLS and hands the certificate on in the event. */
export function functionHandler(
  fn: InterfaceFunction,
  services: Services,
  options?: Partial<CallOptions>,
): FunctionHandler {
  const answer = httpFunction(fn, services, { ...defaultOptions, ...options });
  return async (event, context) => {
    const cost = new CallCost();
    let party: string | undefined;
    const request = requestOf(event, (caller) => {
      party = caller?.identifier;
    });
    const answered = await counting(cost, () => answer(request, context.getRemainingTimeInMillis()));
    const octets = (event.body?.length ?? 0) + Buffer.byteLength(answered.body ?? '');
    if (party !== undefined) services.parties.charge?.(party, { reads: cost.reads, octets });
    return resultOf(answered);
  };
}

/** `told` hears whose body it is, once that is known. */
function requestOf(
  { headers, body = '', isBase64Encoded, requestContext }: Event,
  told: (caller: Caller | undefined) => void,
): HttpRequest {
  return {
    method: requestContext.http.method,
    headers,
    // API Gateway has held the octets, within its own limits
    readBody: async (_limit, caller) => {
      told(caller);
      return isBase64Encoded ? Buffer.from(body, 'base64') : body;
    },
    bodyIsHere: true,
    // without mutual TLS `authentication` is left out or null
    clientCertificate: requestContext.authentication?.clientCert?.clientCertPem,
  };
}

export function resultOf({ httpStatus, headers, body }: HttpAnswer): Result {
  if (body === undefined) return { statusCode: httpStatus, headers };
  if (typeof body === 'string') return { statusCode: httpStatus, headers, body };
  return {
    statusCode: httpStatus,
    headers,
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64'),
    isBase64Encoded: true,
  };
}
