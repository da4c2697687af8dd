import { errorRecords } from '../../shared/gsma/call-log.ts';
import { type Failure, failureOf } from '../../shared/gsma/failure.ts';
import { writeFailure } from '../../shared/gsma/http-answer.ts';
import type { FunctionPath } from '../../shared/gsma/permissions.ts';
import { present } from '../../shared/present.ts';
import type { Calls } from '../../shared/service/api/caller.ts';
import { type Call, type HandlerOptions, resultOf } from '../call.ts';
import type { CallMiddleware } from './middleware.ts';

/** The outermost middleware: answers whatever was thrown, and writes its line of the log. */
export function recordCall(path: FunctionPath, options: HandlerOptions, calls: Calls): CallMiddleware {
  const writeLine = (call: Call, httpStatus: number) => {
    const { caller, failure, functionCallIdentifier } = call;
    options.log({
      event: 'call',
      function: path,
      ...(caller === undefined ? {} : { party: caller.identifier }),
      ...present({ functionCallIdentifier }),
      ...call.subject,
      httpStatus,
      status: failure !== undefined ? 'Failed' : call.warning ? 'Executed-WithWarning' : 'Executed-Success',
      ...(failure === undefined
        ? {}
        : {
            subjectCode: failure.statusCodeData.subjectCode,
            reasonCode: failure.statusCodeData.reasonCode,
            ...present({ incident: failure.incident }),
          }),
      durationMs: Math.round(options.now() - call.startedAt),
    });
  };
  /** A log that cannot be written keeps nobody from the answer; the line above has it too. */
  const recordRefusal = async ({ caller, functionCallIdentifier }: Call, failure: Failure) => {
    const { subjectCode, reasonCode } = failure.statusCodeData;
    const party = caller?.identifier;
    try {
      await calls.refused({ function: path, party, functionCallIdentifier, subjectCode, reasonCode });
    } catch (error) {
      const incident = options.newIncident();
      options.log({ event: 'fault', incident, function: path, errors: errorRecords(error) });
    }
  };
  return {
    after: ({ context: { call }, response }) => writeLine(call, response?.statusCode ?? 200),
    onError: async (request) => {
      const { call } = request.context;
      call.failure = failureOf(request.error, options.newIncident);
      if (call.failure.incident !== undefined) {
        options.log({
          event: 'fault',
          incident: call.failure.incident,
          function: path,
          errors: errorRecords(request.error),
        });
      }
      request.response = resultOf(writeFailure(call.failure, call.adminProtocol));
      writeLine(call, call.failure.httpStatus);
      await recordRefusal(call, call.failure);
    },
  };
}
