import { errorRecords } from '../events/error-record.ts';
import type { Log } from '../events/log-events.ts';
import { present } from '../present.ts';
import type { Caller, Calls } from '../service/api/caller.ts';
import type { CallSubject } from './call-log.ts';
import { callFailure, type Failure } from './failure.ts';

/** What a function takes from outside beside the services. */
export interface CallOptions {
  readonly log: Log;
  /** Milliseconds; for durations. */
  readonly now: () => number;
  /** A fresh identifier that joins an answer to the log. */
  readonly newIncident: () => string;
}

/** What is known of a call so far; its line of the log tells it. */
export interface Call {
  /** "esbpp.requestBpp" */
  readonly function: string;
  readonly startedAt: number;
  caller?: Caller;
  functionCallIdentifier?: string;
  /** X-Admin-Protocol, once it is one that we speak. */
  adminProtocol?: string;
  subject: CallSubject;
  /** Some items were refused. */
  warning: boolean;
}

/** Writes the line of a call that was answered, `failure` where that was a refusal or a fault, and counts it. */
export function recordCall(
  call: Call,
  httpStatus: number,
  calls: Calls,
  options: CallOptions,
  failure?: Failure,
): void {
  const { caller, functionCallIdentifier } = call;
  const status =
    failure !== undefined ? 'Failed' : call.warning ? 'Executed-WithWarning' : 'Executed-Success';
  const { subjectCode, reasonCode } = failure?.statusCodeData ?? {};
  calls.answered({ function: call.function, party: caller?.identifier, status, subjectCode, reasonCode });
  options.log({
    event: 'call',
    function: call.function,
    ...present({ party: caller?.identifier, functionCallIdentifier }),
    ...call.subject,
    httpStatus,
    status,
    ...present({ subjectCode, reasonCode, incident: failure?.incident }),
    durationMs: Math.round(options.now() - call.startedAt),
  });
}

/** What becomes of an error of a call: its answer, its lines of the log, and a line of the audit log. */
export async function recordFailure(
  call: Call,
  error: unknown,
  calls: Calls,
  options: CallOptions,
): Promise<Failure> {
  const failure = callFailure(error, options.newIncident);
  if (failure.incident !== undefined) recordFault(call, failure.incident, error, options);
  recordCall(call, failure.httpStatus, calls, options, failure);
  await recordRefusal(call, failure, calls, options);
  return failure;
}

/** A log that cannot be written keeps nobody from the answer; the line of the call has it too. */
async function recordRefusal(
  { function: path, caller, functionCallIdentifier }: Call,
  { statusCodeData: { subjectCode, reasonCode } }: Failure,
  calls: Calls,
  options: CallOptions,
): Promise<void> {
  const party = caller?.identifier;
  try {
    await calls.refused({ function: path, party, functionCallIdentifier, subjectCode, reasonCode });
  } catch (error) {
    recordFault({ function: path }, options.newIncident(), error, options);
  }
}

function recordFault(
  { function: path }: Pick<Call, 'function'>,
  incident: string,
  error: unknown,
  { log }: CallOptions,
): void {
  log({ event: 'fault', incident, function: path, errors: errorRecords(error) });
}
