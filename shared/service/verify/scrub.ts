import { ownText } from '../../events/error-record.ts';
import { becomes, changeItem } from '../../ledger/change.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type VerificationRecord, verificationRecord } from '../records/verification.ts';
import { STAGE_NAMES, START, verify } from './verify.ts';

/** Things that a round looks at, at least, and milliseconds after which it ends in any case. */
const SHARE = 20_000;
const ROUND_MS = 60_000;
/** Rounds of a month, one an hour: so many go over everything, however much that is, as far as their time reaches. */
const ROUNDS = 30 * 24;

export interface Scrubbed {
  readonly looked: number;
  readonly found: number;
}

/**
 * Verification by itself, a share in each round, so that damage is found though nobody reads what it hit. What it finds
 * raises an alarm each; it repairs nothing. Where it stands is in the ledger, so that any process goes on with it. How much is
 * a share follows from how many things there were the last time.
 */
export async function scrub(context: Context, least = SHARE): Promise<Scrubbed> {
  const { ledger, now, log } = context;
  const began = now();
  const item = await ledger.get(ledgerKeys.verification);
  const record = item && verificationRecord.from(item);
  const stage = STAGE_NAMES.find((one) => one === record?.stage);
  const share = Math.max(least, Math.ceil((record?.things ?? 0) / ROUNDS));
  const from = record === undefined || stage === undefined ? START : { stage, after: record.after };
  let looked = 0;
  let found = 0;
  let next: typeof from | undefined = from;
  for await (const step of verify(context, from)) {
    looked += step.looked;
    found += step.findings.length;
    next = step.next;
    for (const { where, name, problem } of step.findings)
      log({ event: 'alarm.verify.found', where, name: ownText(name), problem: ownText(problem) });
    if (looked >= share || now() - began > ROUND_MS) break;
  }
  await changeItem(ledger, ledgerKeys.verification, (current) => {
    const before = current && verificationRecord.from(current);
    return becomes(verificationRecord.to(afterRound(before, next, { looked, found }, began, now())));
  });
  return { looked, found };
}

function afterRound(
  before: VerificationRecord | undefined,
  next: { readonly stage: string; readonly after: string } | undefined,
  { looked, found }: Scrubbed,
  began: number,
  now: number,
): VerificationRecord {
  const all = (before?.looked ?? 0) + looked;
  if (next === undefined)
    return { ...START, begunAt: now, endedAt: now, findings: 0, looked: 0, things: all };
  return { begunAt: began, ...before, ...next, findings: (before?.findings ?? 0) + found, looked: all };
}
