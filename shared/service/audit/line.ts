import { createHash } from 'node:crypto';
import { canonicalJson } from '../../codec/canonical-json.ts';
import { type Exact, only } from '../../events/members.ts';
import type { Write } from '../../ledger/ledger.ts';
import type { ChainedLine } from '../api/admin.ts';
import { padded } from '../records/keys.ts';
import { AUDIT_EVENTS, type AuditAbout, type AuditEvent } from './events.ts';

/** A line before it is chained: an event of events.ts with exactly what it is about. */
export interface AuditLine<E extends AuditEvent, A> {
  readonly event: E;
  /** functionRequesterIdentifier of the caller, or `server`. */
  readonly by: string;
  readonly about: Exact<AuditAbout<E>, A>;
}

/** The partition of lines that wait for the chain. */
export const PENDING = 'audit-pending';
/** The partition of the chain. */
export const CHAIN = 'audit';

/** The write that makes the line wait; part of the transaction that changes the state. `id` makes it repeatable. */
export function auditWrite<E extends AuditEvent, A extends AuditAbout<E>>(
  { event, by, about }: AuditLine<E, A>,
  id: string,
  atMs: number,
): Write {
  return {
    put: { partition: PENDING, sort: `${padded(Math.floor(atMs / 1000))}#${id}` },
    attributes: {
      event,
      by,
      about: only<string | number | boolean>(AUDIT_EVENTS[event].about, about),
      at: new Date(atMs).toISOString(),
    },
    when: 'absent',
  };
}

export const lineKey = (sequence: number) => ({ partition: CHAIN, sort: lineName(sequence) });
const lineName = (sequence: number) => `line#${padded(sequence)}`;

/** SHA-256 over the line's members in the order of their names. */
export function lineHash(line: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(canonicalJson(line)).digest('hex');
}

/**
 * Whether this is a line of the chain by its members. Its event may be one that this release does not know: such a line
 * is chained, verified and shown like any other.
 */
export function isChainedLine(value: unknown): value is ChainedLine {
  if (typeof value !== 'object' || value === null) return false;
  const { sequence, at, event, by, about, previous, hash } = value as Readonly<Record<string, unknown>>;
  return (
    Number.isSafeInteger(sequence) &&
    [at, event, by, previous, hash].every((member) => typeof member === 'string') &&
    typeof about === 'object' &&
    about !== null
  );
}
