import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/** On a schedule: moves waiting lines into the audit chain, and what is chained into locked objects. */
export const handler = backgroundEntry(
  'audit.chain',
  async (_event: unknown) => {
    const { audit } = await sharedRuntime();
    const chained = await audit.chain();
    return { chained, archived: await audit.archive(), sequence: (await audit.head()).sequence };
  },
  { outcome: (counts) => counts },
);
