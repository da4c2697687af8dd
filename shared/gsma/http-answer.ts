import type { Bytes } from '../codec/bytes.ts';
import { invariant } from '../errors.ts';
import { PROTOCOL_VERSION } from '../ifpp-draft1/version.ts';
import { ifPresent, present } from '../present.ts';
import type { Failure } from './failure.ts';
import { responseHeader } from './header.ts';
import type { FunctionAnswer } from './interface-function.ts';
import { MAX_ANSWER } from './limits.ts';
import { DER_TYPE, JSON_TYPE } from './media-type.ts';

export interface HttpAnswer {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Text is JSON, octets are DER, undefined is no body. */
  readonly body: string | Bytes | undefined;
}

/** Seconds after which work that is Pending is worth asking for again. */
const RETRY_PENDING_SECONDS = 2;

/** 204 for a notification, DER where it is asked for and there is some, JSON with the response header otherwise. */
export function writeAnswer(
  answer: FunctionAnswer | undefined,
  adminProtocol: string,
  asDer: boolean,
): HttpAnswer {
  if (answer === undefined) {
    return { httpStatus: 204, headers: { 'x-admin-protocol': adminProtocol }, body: undefined };
  }
  if (asDer && answer.der !== undefined) {
    invariant(answer.der.length * 4 <= MAX_ANSWER * 3, 'an inline answer is over the limit');
    return { httpStatus: 200, headers: headers(DER_TYPE, adminProtocol), body: answer.der };
  }
  const status = answer.warning === true ? 'Executed-WithWarning' : 'Executed-Success';
  const body = JSON.stringify({ header: responseHeader(status), ...answer.members });
  invariant(Buffer.byteLength(body) <= MAX_ANSWER, 'an inline answer is over the limit');
  const pending = answer.members.state === 'Pending' ? { 'retry-after': `${RETRY_PENDING_SECONDS}` } : {};
  return { httpStatus: 200, headers: { ...headers(JSON_TYPE, adminProtocol), ...pending }, body };
}

export function writeFailure(failure: Failure, adminProtocol = PROTOCOL_VERSION): HttpAnswer {
  return {
    httpStatus: failure.httpStatus,
    headers: {
      ...headers(JSON_TYPE, adminProtocol),
      ...(failure.httpStatus === 405 && { allow: 'POST' }),
      ...present({ 'retry-after': ifPresent(failure.retryAfterSeconds, String) }),
    },
    body: JSON.stringify({ header: responseHeader('Failed', failure.statusCodeData) }),
  };
}

function headers(contentType: string, adminProtocol: string) {
  return { 'content-type': contentType, 'x-admin-protocol': adminProtocol, 'cache-control': 'no-store' };
}
