import { ownText } from '../../events/error-record.ts';
import { becomes, changeItem } from '../../ledger/change.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type VerificationRecord, verificationRecord } from '../records/verification.ts';
import { STAGE_NAMES, START, verify } from './verify.ts';

/** Things that a round looks at, and milliseconds after which it ends in any case. */
const SHARE = 20_000;
const ROUND_MS = 60_000;

export interface Scrubbed {
  readonly looked: number;
  readonly found: number;
}

/**
 * Verification by itself, a share in each round, so that damage is found though nobody reads what it hit. What it finds
 * raises an alarm each; it repairs nothing. Where it stands is in the ledger, so that any process goes on with it.
 */
export async function scrub(context: Context, share = SHARE): Promise<Scrubbed> {
  const { ledger, now, log } = context;
  const began = now();
  const item = await ledger.get(ledgerKeys.verification);
  const record = item && verificationRecord.from(item);
  const stage = STAGE_NAMES.find((one) => one === record?.stage);
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
    return becomes(verificationRecord.to(afterRound(before, next, found, began, now())));
  });
  return { looked, found };
}

function afterRound(
  before: VerificationRecord | undefined,
  next: { readonly stage: string; readonly after: string } | undefined,
  found: number,
  began: number,
  now: number,
): VerificationRecord {
  if (next === undefined) return { ...START, begunAt: now, endedAt: now, findings: 0 };
  return { begunAt: began, ...before, ...next, findings: (before?.findings ?? 0) + found };
}
