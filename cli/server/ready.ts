import type { HttpAnswer } from '../../shared/gsma/http-answer.ts';
import type { Health } from '../../shared/service/api/ops.ts';
import type { Route } from './listener.ts';
import { respond, respondRefusal } from './respond.ts';

/** `/health/ready` of a port that anybody may call. */
export function readyRoute(ready: () => Promise<Health>): Route {
  return async (request, response) => {
    if (request.method === 'GET' || request.method === 'HEAD')
      return respond(request, response, readyAnswer(await ready(), 'names'));
    respondRefusal(request, response, 405, 'functionUnsupported', 'this is asked for by GET', 'GET, HEAD');
  };
}

/**
 * What `/health/ready` answers: 200, or 503 with what is ill. In words to readers of the management port alone; anybody else
 * learns names.
 */
export function readyAnswer({ ready, checks }: Health, tells: 'whole' | 'names'): HttpAnswer {
  const told = checks.map(({ name, state, problem }) => ({
    name,
    state,
    ...(tells === 'whole' && problem !== undefined && { problem }),
  }));
  return {
    httpStatus: ready ? 200 : 503,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...(!ready && { 'retry-after': '5' }),
    },
    body: JSON.stringify({ ready, checks: told }),
  };
}
