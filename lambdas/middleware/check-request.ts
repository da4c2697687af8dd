import { checkAdminProtocol } from '../../shared/gsma/admin-protocol.ts';
import type { FunctionBinding } from '../../shared/gsma/function-binding.ts';
import type { FunctionPath } from '../../shared/gsma/permissions.ts';
import { checkTransport } from '../../shared/gsma/received-call.ts';
import type { CallMiddleware } from './middleware.ts';

/** Method, size and media type, before anybody is asked who sent it. */
export function checkHttp(fn: Pick<FunctionBinding, 'body' | 'fromDer'>): CallMiddleware {
  return {
    before: ({ context: { call } }) => {
      checkTransport(call.request, fn);
    },
  };
}

/** X-Admin-Protocol, once the party is known. */
export function checkProtocol(path: FunctionPath): CallMiddleware {
  const interfaceName = path.slice(0, path.indexOf('.'));
  return {
    before: ({ context: { call } }) => {
      call.adminProtocol = checkAdminProtocol(call.request.headers['x-admin-protocol'], interfaceName);
    },
  };
}
