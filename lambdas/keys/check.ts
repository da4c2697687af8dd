import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/**
 * On a schedule: asks for every key in use, and tells of those that cannot be used and of certificates that end, those of
 * parties and callbacks too.
 */
export const handler = backgroundEntry(
  'keys.check',
  async (_event: unknown) => {
    const { keyInventory, services } = await sharedRuntime();
    await services.parties.tellEnding();
    await services.callbacks.tellEnding();
    return { unusable: (await keyInventory.check()).length };
  },
  { outcome: ({ unusable }) => ({ unusable }) },
);
