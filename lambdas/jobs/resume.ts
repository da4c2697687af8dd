import { observedByLambda } from '../../shared/service/inventory/observe.ts';
import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/** On a schedule: starts what the ledger has open and no execution is at work on, and tells how the deployment stands. */
export const handler = backgroundEntry(
  'jobs.resume',
  async (_event: unknown, log) => {
    const { work, context, trust } = await sharedRuntime();
    const open = await work.resume();
    log(await observedByLambda(context, trust));
    return { open };
  },
  { outcome: ({ open }) => ({ open }) },
);
