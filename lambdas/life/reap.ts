import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/** Of its five minutes (lib/functions.ts). */
const MOST_MS = 240_000;

/** On a schedule: destroys what is left of lost attempts and what nobody used. Costs sixteen reads where nothing is due. */
export const handler = backgroundEntry(
  'life.reap',
  async (_event: unknown) => {
    const { reaper, context } = await sharedRuntime();
    const until = context.now() + MOST_MS;
    return await reaper.round(() => context.now() < until);
  },
  { outcome: ({ destroyed, gone }) => ({ destroyed, gone }) },
);
