import { scrub } from '../../shared/service/verify/scrub.ts';
import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/** On a schedule: verifies a share of the stores against each other; what it finds raises an alarm each. */
export const handler = backgroundEntry(
  'verify.scrub',
  async (_event: unknown) => await scrub((await sharedRuntime()).context),
  { outcome: ({ looked, found }) => ({ looked, found }) },
);
