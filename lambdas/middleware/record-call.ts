import { errorRecords } from '../../shared/gsma/call-log.ts';
import { failureOf } from '../../shared/gsma/failure.ts';
import { writeFailure } from '../../shared/gsma/http-answer.ts';
import type { FunctionPath } from '../../shared/gsma/permissions.ts';
import { type Call, type HandlerOptions, resultOf } from '../call.ts';
import type { CallMiddleware } from './middleware.ts';

/** The outermost middleware: answers whatever was thrown, and writes its line of the log. */
export function recordCall(path: FunctionPath, options: HandlerOptions): CallMiddleware {
  const writeLine = (call: Call, httpStatus: number) => {
    const { caller, failure, functionCallIdentifier } = call;
    options.log({
      event: 'call',
      function: path,
      ...(caller === undefined ? {} : { party: caller.identifier }),
      ...(functionCallIdentifier === undefined ? {} : { functionCallIdentifier }),
      ...call.subject,
      httpStatus,
      status: failure !== undefined ? 'Failed' : call.warning ? 'Executed-WithWarning' : 'Executed-Success',
      ...(failure === undefined
        ? {}
        : {
            subjectCode: failure.statusCodeData.subjectCode,
            reasonCode: failure.statusCodeData.reasonCode,
            ...(failure.incident === undefined ? {} : { incident: failure.incident }),
          }),
      durationMs: Math.round(options.now() - call.startedAt),
    });
  };
  return {
    after: ({ context: { call }, response }) => writeLine(call, response?.statusCode ?? 200),
    onError: (request) => {
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
    },
  };
}
