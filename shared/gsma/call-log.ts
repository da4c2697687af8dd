import { SmdpfError } from '../errors.ts';
import type { ExecutionStatus } from './header.ts';

/** What a call was about, as far as the log may tell: identifiers, never content. */
export type CallSubject = {
  readonly orderId?: string;
  readonly requestId?: string;
  readonly batchId?: string;
  readonly reportId?: string;
};

/** One line per call. These fields and no others are ever written. */
export type CallRecord = CallSubject & {
  readonly event: 'call';
  /** "esbpp.requestBpp" */
  readonly function: string;
  /** functionRequesterIdentifier of the register, not the one that the caller wrote. */
  readonly party?: string;
  readonly functionCallIdentifier?: string;
  readonly httpStatus: number;
  readonly status?: ExecutionStatus;
  readonly subjectCode?: string;
  readonly reasonCode?: string;
  readonly incident?: string;
  readonly durationMs: number;
};

/** One line more for a fault of ours, joined by the incident identifier that the caller was given. */
export type FaultRecord = {
  readonly event: 'fault';
  readonly incident: string;
  readonly function: string;
  readonly errors: readonly ErrorRecord[];
};

/**
 * Messages of our own errors are written to be logged. Those of anything else may quote what was being worked on, so
 * only the name and the places in the code are kept.
 */
export interface ErrorRecord {
  readonly name: string;
  readonly code?: string;
  readonly message?: string;
  readonly at: readonly string[];
}

/** Plain types and not interfaces, so that a log of any JSON records takes them. */
export type LogRecord = CallRecord | FaultRecord;
export type Log = (record: LogRecord) => void;

const MAX_CAUSES = 5;
const MAX_FRAMES = 12;

/** The error and its causes, outermost first. */
export function errorRecords(error: unknown): ErrorRecord[] {
  const records: ErrorRecord[] = [];
  for (let cause = error; cause instanceof Error && records.length < MAX_CAUSES; cause = cause.cause) {
    records.push({
      name: cause.name,
      ...(cause instanceof SmdpfError ? { code: cause.code, message: cause.message } : {}),
      at: frames(cause),
    });
  }
  return records;
}

function frames({ message, stack = '' }: Error): string[] {
  return stack
    .slice(message === '' ? 0 : stack.indexOf(message) + message.length)
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => line.trim());
}
