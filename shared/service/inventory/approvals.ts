import { createHash } from 'node:crypto';
import { present } from '../../present.ts';
import type { ApprovalEntry, ApprovalList } from '../api/approvals.ts';
import type { Context } from '../context.ts';
import { ACTIONS } from '../dual-control/actions.ts';
import { DualControl, type KnownApproval, stateOf } from '../dual-control/dual-control.ts';
import { iso } from './times.ts';

/** Requests that are over are told so far back. */
const PAST = 200;

/** What takes two persons, and what waits for the second one. */
export async function listApprovals({ ledger, now, settings }: Context): Promise<ApprovalList> {
  const { deployment } = settings;
  const control = new DualControl(ledger, now, deployment);
  const [{ actions, hours }, administrators, all] = await Promise.all([
    control.policy(),
    control.administrators.active(),
    control.approvals(),
  ]);
  const entries = all
    .toSorted((a, b) => b.requestedAt - a.requestedAt)
    .map((one) => approvalEntry(one, now()));
  const isOpen = ({ state }: ApprovalEntry) => ['waiting', 'approved', 'begun'].includes(state);
  return {
    deployment,
    // who may agree is guarded as soon as anything is
    guarded: actions.length > 0 ? [...new Set([...actions, 'administrators' as const])] : [],
    hours,
    administrators: administrators.map(({ name, publicKey, awsRole }) => ({
      name,
      publicKey: createHash('sha256').update(publicKey).digest('hex'),
      byCommand: awsRole !== undefined,
    })),
    approvals: [...entries.filter(isOpen), ...entries.filter((one) => !isOpen(one)).slice(0, PAST)],
  };
}

export function approvalEntry(known: KnownApproval, atMs: number): ApprovalEntry {
  const { id, action, subject, requestedBy, requestedAt, endsAt, approvedBy, approvedAt, begunBy } = known;
  return {
    request: id,
    action,
    meaning: ACTIONS[action],
    subject,
    state: stateOf(known, atMs),
    requestedBy,
    requestedAt: iso(requestedAt),
    endsAt: iso(endsAt),
    ...present({
      approvedBy,
      approvedAt: approvedAt === undefined ? undefined : iso(approvedAt),
      doneBy: begunBy,
    }),
  };
}
