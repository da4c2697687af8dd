import { EvidenceRounds } from '../../shared/service/evidence/rounds.ts';
import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/** Of this execution environment. */
let rounds: EvidenceRounds | undefined;

/**
 * On a schedule: moves waiting lines into the audit chain, and what is chained into locked objects; now and then keeps the end
 * outside and compares the clock, where the configuration names a place and a clock.
 */
export const handler = backgroundEntry(
  'audit.chain',
  async (_event: unknown, log) => {
    const { audit, evidence, context } = await sharedRuntime();
    const chained = await audit.chain();
    const archived = await audit.archive();
    const head = await audit.head();
    rounds ??= new EvidenceRounds(evidence, log, context.now);
    await rounds.round(head);
    return { chained, archived, sequence: head.sequence };
  },
  { outcome: (counts) => counts },
);
