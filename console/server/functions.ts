import { functionAt, functionPaths } from '../../shared/gsma/functions/index.ts';
import { httpFunction } from '../../shared/gsma/http-function.ts';
import type { InterfaceFunction } from '../../shared/gsma/interface-function.ts';
import { urlPaths } from '../../shared/gsma/paths.ts';
import type { CallOptions } from '../../shared/gsma/record-call.ts';
import type { Services } from '../../shared/service/api/services.ts';
import type { ConsoleFunctions } from './console.ts';
import { callerOf, isConsoleRole } from './login.ts';

/**
 * What the console may call: the functions for its roles, by their URL paths. Transfer links are for whoever has a client
 * certificate, and so for nobody here.
 */
const FUNCTIONS: ReadonlyMap<string, InterfaceFunction> = new Map(
  functionPaths
    .map(functionAt)
    .filter(({ role, path }) => isConsoleRole(role) && !path.endsWith('.openTransfer'))
    .flatMap((fn) => urlPaths(fn).map((path) => [path, fn])),
);

/** The functions of the interfaces for whoever is logged in, each call within `timeMs` milliseconds. */
export function consoleFunctions(
  services: Services,
  options: CallOptions,
  timeMs: () => number,
): ConsoleFunctions {
  return {
    kindOf(path) {
      const fn = FUNCTIONS.get(path);
      return fn && (fn.role === 'viewer' ? 'reads' : 'changes');
    },
    async call(path, login, request) {
      const answer = httpFunction(FUNCTIONS.get(path)!, services, options, async () => callerOf(login));
      const { method, headers } = request;
      const readBody = (limit: number) => request.readBody(limit);
      const { httpStatus, ...answered } = await answer(
        { method, headers, clientCertificate: undefined, readBody },
        timeMs(),
      );
      return { status: httpStatus, headers: answered.headers, body: answered.body ?? '' };
    },
  };
}
