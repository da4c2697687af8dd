import { randomUUID } from 'node:crypto';
import type { FunctionHandler, Result } from '../../lambdas/call.ts';
import { failureOf } from '../../shared/gsma/failure.ts';
import { type HttpAnswer, writeFailure } from '../../shared/gsma/http-answer.ts';
import { TransportRefusal } from '../../shared/gsma/transport-refusal.ts';
import { eventOf } from './event.ts';
import type { Route } from './listener.ts';
import { readBody } from './read-body.ts';
import { respond } from './respond.ts';
import { TIMEOUTS } from './timeouts.ts';

/** Runs a function's Lambda handler on a request. */
export function functionRoute(handler: FunctionHandler): Route {
  return async (request, response, path) => {
    let body: Uint8Array;
    try {
      body = request.method === 'POST' ? await readBody(request) : Buffer.alloc(0);
    } catch (error) {
      // Anything else is a peer that is gone.
      if (error instanceof TransportRefusal) {
        respond(request, response, writeFailure(failureOf(error, randomUUID)));
      }
      return;
    }
    const id = randomUUID();
    const endsAt = performance.now() + TIMEOUTS.call;
    const result = await handler(eventOf(request, path, body, new Date(), id), {
      awsRequestId: id,
      getRemainingTimeInMillis: () => endsAt - performance.now(),
    });
    respond(request, response, answerOf(result));
  };
}

function answerOf({ statusCode = 200, headers = {}, body, isBase64Encoded }: Result): HttpAnswer {
  return {
    httpStatus: statusCode,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    body: body !== undefined && isBase64Encoded === true ? Buffer.from(body, 'base64') : body,
  };
}
