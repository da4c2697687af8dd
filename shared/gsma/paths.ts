import { PATH_PREFIX } from '../ifpp-draft1/version.ts';
import type { FunctionPath } from './permissions.ts';

/** HandleNotification at the path of SGP.22 section 6.5.2.10, where LPAs in the field send it. */
export const PUBLISHED_HANDLE_NOTIFICATION = '/gsma/rsp2/es9plus/handleNotification';

/** "esbpp.requestBpp" is called at "/ifpp-draft1/esbpp/requestBpp". */
export function urlPaths(path: FunctionPath): readonly string[] {
  const own = `${PATH_PREFIX}/${path.replace('.', '/')}`;
  return path === 'es9plus.handleNotification' ? [own, PUBLISHED_HANDLE_NOTIFICATION] : [own];
}
