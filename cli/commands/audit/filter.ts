import { type Command, InvalidArgumentError } from 'commander';
import type { ChainedLine } from '../../../shared/service/api/admin.ts';
import { AUDIT_EVENTS } from '../../../shared/service/audit/events.ts';
import { collect } from '../../input/options.ts';

/** Which lines of the log are asked for; all that is given has to fit. */
export interface LineFilter {
  /** `trust.eum.revoked`, or the beginning of several up to a dot: `trust`. */
  readonly event?: readonly string[];
  readonly by?: string;
  readonly person?: string;
  /** A value that the line tells of: an order, an ICCID, an EID, a key. */
  readonly about?: string;
  readonly since?: Date;
  readonly until?: Date;
}

export const withFilter = (command: Command): Command =>
  command
    .option(
      '--event <name>',
      'of this event, or of all that begin so: trust, key.wrapping; may be repeated',
      eventOption,
    )
    .option('--by <name>', 'by this party or part of the server')
    .option('--person <name>', 'by this person, also as the second one')
    .option('--about <value>', 'that tell of this order, job, ICCID, EID, key …')
    .option('--since <time>', 'from then on: ISO 8601, as 2026-11-27 or 2026-11-27T10:00:00Z', timeOption)
    .option('--until <time>', 'before then', timeOption);

export const isFiltered = (filter: LineFilter): boolean => Object.keys(asked(filter)).length > 0;

/** What was asked for, as a statement tells it. */
export function asked({ event, by, person, about, since, until }: LineFilter): Record<string, unknown> {
  const members = {
    event,
    by,
    person,
    about,
    since: since?.toISOString(),
    until: until?.toISOString(),
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

export function fits({ event, by, person, about, since, until }: LineFilter, line: ChainedLine): boolean {
  const at = Date.parse(line.at);
  return (
    (event === undefined || event.some((name) => line.event === name || line.event.startsWith(`${name}.`))) &&
    (by === undefined || line.by === by) &&
    (person === undefined || line.who?.person === person || line.who?.approvedBy === person) &&
    (about === undefined ||
      Object.values(line.about).some((value) => String(value).split(' ').includes(about))) &&
    (since === undefined || at >= since.getTime()) &&
    (until === undefined || at < until.getTime())
  );
}

/** A name that no event has is a typing error, and would find nothing. */
function eventOption(value: string, earlier: readonly string[] | undefined): readonly string[] {
  const known = Object.keys(AUDIT_EVENTS);
  if (!known.some((name) => name === value || name.startsWith(`${value}.`)))
    throw new InvalidArgumentError('No event has this name or begins with it: docs/events.md.');
  return collect(value, earlier);
}

function timeOption(value: string): Date {
  const time = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(value)
    ? new Date(value)
    : new Date(Number.NaN);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('It has to be a date, or a date and time with its zone, of ISO 8601.');
  return time;
}
