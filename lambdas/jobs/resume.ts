import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/** On a schedule: starts what the ledger has open and no execution is at work on. */
export const handler = backgroundEntry(
  'jobs.resume',
  async (_event: unknown) => ({ open: await (await sharedRuntime()).work.resume() }),
  { outcome: ({ open }) => ({ open }) },
);
