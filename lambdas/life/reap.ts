import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/** On a schedule: destroys what is left of lost attempts and what nobody used. Costs sixteen reads where nothing is due. */
export const handler = backgroundEntry(
  'life.reap',
  async (_event: unknown) => (await sharedRuntime()).reaper.round(),
  { outcome: ({ destroyed, gone }) => ({ destroyed, gone }) },
);
