import { randomUUID } from 'node:crypto';
import { errorRecords } from '../../shared/events/error-record.ts';
import type { Log } from '../../shared/events/log-events.ts';

/** The line of the log about what went wrong in the server itself, outside of any function. */
export function logServerFault(log: Log, error: unknown): void {
  log({ event: 'fault', incident: randomUUID(), function: 'server', errors: errorRecords(error) });
}
