import { Fault, Refusal } from '../errors.ts';
import { present } from '../present.ts';
import { STATUS_CODES } from '../status-codes.ts';
import type { StatusCodeData } from './header.ts';
import { TransportRefusal } from './transport-refusal.ts';

/** How a call that threw is answered. */
export interface Failure {
  readonly httpStatus: number;
  readonly statusCodeData: StatusCodeData;
  /** Set where the fault is ours: it joins the answer to the line in the operator's log. */
  readonly incident: string | undefined;
  /** Header Retry-After: the same call may succeed after so many seconds. */
  readonly retryAfterSeconds: number | undefined;
}

/** Seconds after which a fault that may pass is worth another try: a store has its disk again, a key service its quota. */
const RETRY_FAULT_SECONDS = 2;

const MAX_MESSAGE = 512;

/**
 * A Refusal is answered with its own codes and message. Everything else is a fault of ours: the caller learns
 * 1.2/5.1 with 503 and Retry-After where trying again may help, 1.2/4.2 otherwise, and an incident identifier, never what
 * happened inside.
 */
export function callFailure(error: unknown, newIncident: () => string): Failure {
  if (error instanceof Refusal) {
    return {
      httpStatus: error instanceof TransportRefusal ? error.httpStatus : 200,
      statusCodeData: {
        subjectCode: error.subjectCode,
        reasonCode: error.reasonCode,
        ...present({ subjectIdentifier: error.subjectIdentifier }),
        message: error.message.slice(0, MAX_MESSAGE),
      },
      incident: undefined,
      retryAfterSeconds: error.retryAfterSeconds,
    };
  }
  const retryable = error instanceof Fault && error.retryable;
  const { subject, reason, meaning } = STATUS_CODES[retryable ? 'providerUnavailable' : 'executionError'];
  const incident = newIncident();
  return {
    httpStatus: retryable ? 503 : 200,
    statusCodeData: {
      subjectCode: subject,
      reasonCode: reason,
      subjectIdentifier: incident,
      message: `${meaning}; incident ${incident}`,
    },
    incident,
    retryAfterSeconds: retryable ? RETRY_FAULT_SECONDS : undefined,
  };
}
