import { createHash } from 'node:crypto';
import { canonicalJson } from '../../codec/canonical-json.ts';
import { type Exact, only } from '../../events/members.ts';
import type { Item, Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import type { Actor } from '../api/actor.ts';
import type { ChainedLine } from '../api/admin.ts';
import { chainedLine, type WaitingLine, waitingLine } from '../records/audit.ts';
import { ledgerKeys } from '../records/keys.ts';
import { RecordFault } from '../records/record.ts';
import { AUDIT_EVENTS, type AuditAbout, type AuditEvent } from './events.ts';

/** A line before it is chained: an event of events.ts with exactly what it is about. */
export interface AuditLine<E extends AuditEvent, A> {
  readonly event: E;
  readonly by: Actor;
  readonly about: Exact<AuditAbout<E>, A>;
}

/** The write that makes the line wait; part of the transaction that changes the state. `id` makes it repeatable. */
export function auditWrite<E extends AuditEvent, A extends AuditAbout<E>>(
  { event, by, about }: AuditLine<E, A>,
  id: string,
  atMs: number,
): Write {
  return {
    put: ledgerKeys.waitingLine(atMs, id),
    attributes: waitingLine.to({
      event,
      ...actingIn(by),
      about: only<string | number | boolean>(AUDIT_EVENTS[event].about, about),
      at: new Date(atMs).toISOString(),
    }),
    when: 'absent',
  };
}

/** `by`, and of a person also who it is. */
export function actingIn(actor: Actor): Pick<WaitingLine, 'by' | 'who'> {
  if (typeof actor === 'string') return { by: actor };
  const { through, person, knownBy, approvedBy } = actor;
  return { by: through, who: { person, knownBy, ...present({ approvedBy }) } };
}

/** SHA-256 over the line's members in the order of their names. */
export function lineHash(line: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(canonicalJson(line)).digest('hex');
}

/**
 * The line in an item of the chain; undefined where it cannot be read. Its event may be one that this release does not
 * know: such a line is chained, verified and shown like any other.
 */
export function readableLine(item: Item): ChainedLine | undefined {
  try {
    return chainedLine.from(item);
  } catch (error) {
    if (error instanceof RecordFault) return undefined;
    throw error;
  }
}
