import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type { CallSubject, Log } from '../shared/gsma/call-log.ts';
import type { Failure } from '../shared/gsma/failure.ts';
import type { HttpAnswer } from '../shared/gsma/http-answer.ts';
import type { HttpRequest } from '../shared/gsma/received-call.ts';
import type { Caller } from '../shared/service/api/caller.ts';
import type { Services } from '../shared/service/api/services.ts';

/** An API Gateway HTTP API event, payload format 2.0. */
export type Event = APIGatewayProxyEventV2;
export type Result = APIGatewayProxyStructuredResultV2;

/** The embedded server gives less of a context than Lambda does. */
export type HandlerContext = Pick<Context, 'awsRequestId' | 'getRemainingTimeInMillis'>;
export type FunctionHandler = (event: Event, context: HandlerContext) => Promise<Result>;

/** What a handler takes from outside beside the services. */
export interface HandlerOptions {
  readonly log: Log;
  /** Milliseconds; for durations. */
  readonly now: () => number;
  /** A fresh identifier that joins an answer to the log. */
  readonly newIncident: () => string;
}

/** One JSON line per record on standard output, where CloudWatch finds it. */
export const defaultOptions: HandlerOptions = {
  log: (record) => console.log(JSON.stringify(record)),
  now: () => performance.now(),
  newIncident: randomUUID,
};

/** Entry points on Lambda and the embedded server make their handlers with the same factory. */
export type HandlerFactory = (services: Services, options?: Partial<HandlerOptions>) => FunctionHandler;

/** What the middlewares of one call learn from and tell each other; it travels on the context. */
export interface Call {
  readonly startedAt: number;
  readonly request: HttpRequest;
  adminProtocol?: string;
  caller?: Caller;
  functionCallIdentifier?: string;
  subject: CallSubject;
  warning: boolean;
  failure?: Failure;
}

export type CallContext = HandlerContext & { readonly call: Call };

export function requestOf(event: Event): HttpRequest {
  const body = event.body ?? '';
  return {
    method: event.requestContext.http.method,
    headers: event.headers,
    body: event.isBase64Encoded ? Buffer.from(body, 'base64') : body,
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
