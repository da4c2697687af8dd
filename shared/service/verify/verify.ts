import { Fault } from '../../errors.ts';
import { AuditLog } from '../audit/log.ts';
import type { Context } from '../context.ts';
import { readIdentities, STORE_NAMES } from '../restore/identity.ts';
import { verifyCommits } from './commits.ts';
import { verifyCounts } from './counts.ts';
import type { Finding, Slice } from './finding.ts';
import { verifyItems } from './items.ts';
import { verifyJobs } from './jobs.ts';
import { verifyObjects, verifyPpks } from './leftovers.ts';
import { verifyOrders } from './orders.ts';

/**
 * Holds ledger, vault, PPK vault, locked records and audit log against each other (I11), in stages that are done in
 * slices: a run may stop after any of them and go on from its cursor, beside a server that is at work. Memory is
 * bounded by a slice, and by an octet for each position of one order.
 */
export const STAGES = {
  identity: verifyIdentity,
  ledger: verifyItems,
  commits: verifyCommits,
  jobs: verifyJobs,
  orders: verifyOrders,
  counts: verifyCounts,
  vault: verifyObjects,
  'PPK vault': verifyPpks,
  'audit log': verifyAudit,
} as const satisfies Readonly<Record<string, (context: Context, after: string) => AsyncGenerator<Slice>>>;

export type StageName = keyof typeof STAGES;
export const STAGE_NAMES = Object.keys(STAGES) as readonly StageName[];

/** How far a run has come: the stage, and its cursor; empty at its beginning. */
export interface Place {
  readonly stage: StageName;
  readonly after: string;
}

export const START: Place = { stage: 'identity', after: '' };

/** What a slice found, and where to go on from it; `next` is undefined at the end of all. */
export interface Step extends Omit<Slice, 'cursor'> {
  readonly stage: StageName;
  readonly next: Place | undefined;
}

/** The steps of a run from a place on. `context` is over the ledger below the guard: a frozen one is verified too. */
export async function* verify(context: Context, from: Place = START): AsyncGenerator<Step> {
  for (const [i, stage] of STAGE_NAMES.entries()) {
    if (i < STAGE_NAMES.indexOf(from.stage)) continue;
    const after = stage === from.stage ? from.after : '';
    const following = STAGE_NAMES[i + 1];
    const end = following === undefined ? undefined : { stage: following, after: '' };
    for await (const { findings, looked, cursor } of STAGES[stage](context, after))
      yield { stage, findings, looked, next: cursor === undefined ? end : { stage, after: cursor } };
    yield { stage, findings: [], looked: 0, next: end };
  }
}

/** Stores that say nothing of themselves; those of another deployment were refused when they were opened. */
async function* verifyIdentity({ ledger, vault, ppks }: Context): AsyncGenerator<Slice> {
  const found = await readIdentities({ ledger, vault, ppks });
  const findings = STORE_NAMES.filter((store) => found[store] === undefined).map(
    (store): Finding => ({
      where: IN_WORDS[store],
      name: 'deployment identity',
      problem: 'the store does not say whose it is: it was put there empty, or is missing',
    }),
  );
  yield { findings, looked: STORE_NAMES.length, cursor: undefined };
}

const IN_WORDS = { ledger: 'ledger', vault: 'vault', ppks: 'PPK vault' } as const;

/** Lines of one slice. */
const LINES = 5_000;

/**
 * The chain and its archive, from the beginning, since each line leans on the one before: a run that goes on from
 * within leaves the rest to `smdpf audit verify`.
 */
async function* verifyAudit(context: Context, after: string): AsyncGenerator<Slice> {
  if (after !== '') return;
  let findings: Finding[] = [];
  let line = 0;
  let looked = 0;
  try {
    for await (const { sequence, problem } of new AuditLog(context.ledger, context.vault, context).verify()) {
      line = sequence;
      looked += 1;
      if (problem !== undefined) findings.push({ where: 'audit log', name: `line ${sequence}`, problem });
      if (looked < LINES) continue;
      yield { findings, looked, cursor: String(sequence) };
      findings = [];
      looked = 0;
    }
  } catch (error) {
    if (!(error instanceof Fault) || error.retryable) throw error;
    findings.push({ where: 'audit log', name: `after line ${line}`, problem: error.message });
  }
  yield { findings, looked, cursor: undefined };
}
