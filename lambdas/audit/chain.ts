import { EvidenceRounds } from '../../shared/service/evidence/rounds.ts';
import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';

/** Of its five minutes (lib/functions.ts); it is called again after as many. */
const MOST_MS = 240_000;

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
    const until = context.now() + MOST_MS;
    const moved = await audit.chainAndArchive(() => context.now() < until);
    const head = await audit.head();
    rounds ??= new EvidenceRounds(evidence, log, context.now);
    await rounds.round(head);
    return { ...moved, sequence: head.sequence };
  },
  { outcome: (counts) => counts },
);
