import { functionAt, functionPaths } from '../../shared/gsma/functions/index.ts';
import { httpFunction } from '../../shared/gsma/http-function.ts';
import { type Side, sideOf } from '../../shared/gsma/interface-function.ts';
import { urlPaths } from '../../shared/gsma/paths.ts';
import type { CallOptions } from '../../shared/gsma/record-call.ts';
import type { Services } from '../../shared/service/api/services.ts';
import type { Admission } from './admission/admission.ts';
import { functionRoute } from './function-route.ts';
import type { Route } from './listener.ts';

/** The functions of one side by their URL paths. */
export function routesOf(
  side: Side,
  services: Services,
  admission: Admission,
  options: CallOptions,
): ReadonlyMap<string, Route> {
  const functions = functionPaths.map(functionAt).filter((fn) => sideOf(fn) === side);
  return new Map(
    functions.flatMap((fn) => {
      const route = functionRoute(httpFunction(fn, services, options), admission);
      return urlPaths(fn).map((url) => [url, route]);
    }),
  );
}
