import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/** On a schedule: asks for every key in use, and tells of those that cannot be used and of certificates that end. */
export const handler = backgroundEntry(
  'keys.check',
  async (_event: unknown) => ({ unusable: (await (await sharedRuntime()).keyInventory.check()).length }),
  { outcome: ({ unusable }) => ({ unusable }) },
);
