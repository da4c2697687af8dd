import { PATH_PREFIX } from '../ifpp-draft1/version.ts';
import type { InterfaceFunction } from './interface-function.ts';

/** `esbpp.requestBpp` is called at `esbpp/requestBpp` below the prefix of the draft. */
export function urlPaths({ path, alsoAt }: Pick<InterfaceFunction, 'path' | 'alsoAt'>): readonly string[] {
  const own = `${PATH_PREFIX}/${path.replace('.', '/')}`;
  return alsoAt === undefined ? [own] : [own, alsoAt];
}
