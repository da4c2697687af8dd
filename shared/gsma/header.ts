import { present } from '../present.ts';
import type { ItemRefusal } from '../service/api/item-refusal.ts';
import { object, required, text } from './check.ts';

/** The header objects of the JSON binding (SGP.22 section 6.5.1.3 and 6.5.1.4). */

/** Correlates calls in logs; it takes no part in idempotency. */
export const functionCallIdentifier = text(128);

export const requestHeader = object({
  functionRequesterIdentifier: required(text(128)),
  functionCallIdentifier: required(functionCallIdentifier),
});

export type RequestHeader = ReturnType<typeof requestHeader>;

export type ExecutionStatus = 'Executed-Success' | 'Executed-WithWarning' | 'Failed';

export interface StatusCodeData {
  readonly subjectCode: string;
  readonly reasonCode: string;
  readonly subjectIdentifier?: string;
  readonly message?: string;
}

export interface FunctionExecutionStatus {
  readonly status: ExecutionStatus;
  /** Only with Failed. The refused items of an Executed-WithWarning carry their own codes. */
  readonly statusCodeData?: StatusCodeData;
}

export interface ResponseHeader {
  readonly functionExecutionStatus: FunctionExecutionStatus;
}

export function responseHeader(status: ExecutionStatus, statusCodeData?: StatusCodeData): ResponseHeader {
  return { functionExecutionStatus: { status, ...present({ statusCodeData }) } };
}

/** The codes of one refused item, and nothing else that the object may hold. */
export function itemCodes({ subjectCode, reasonCode, message }: ItemRefusal): StatusCodeData {
  return { subjectCode, reasonCode, message };
}
