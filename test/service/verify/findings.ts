import type { Runtime } from '../../../shared/runtime.ts';
import type { Finding } from '../../../shared/service/verify/finding.ts';
import { type Place, verify } from '../../../shared/service/verify/verify.ts';

/** All that a verification finds, from its beginning or from a place on. */
export async function findingsOf(
  { unguarded }: Pick<Runtime, 'unguarded'>,
  from?: Place,
): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const { findings } of verify(unguarded, from)) found.push(...findings);
  return found;
}
