import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { Fault } from '../shared/errors.ts';
import { errorRecords } from '../shared/events/error-record.ts';
import type { Log, LogRecord } from '../shared/events/log-events.ts';
import { settle } from './runtime.ts';

/** What the line of a task may tell beside its function and its end: identifiers and counts, never content. */
export type About = Omit<LogRecord<'task'>, 'event' | 'function' | 'status' | 'incident' | 'durationMs'>;

export interface BackgroundOptions {
  readonly log: Log;
  /** Milliseconds; for durations. */
  readonly now: () => number;
  readonly newIncident: () => string;
}

/**
 * A Lambda that no party calls: one line of the log for each event, joined to others by what `about` says of the
 * event. An error is logged as far as it may be and goes on as a Fault with nothing but the incident, since Lambda
 * and Step Functions keep what an error says in places of their own.
 *
 * With `options` of the caller's own the telemetry of Lambda is left out.
 */
export function backgroundEntry<Event, Answer>(
  name: string,
  run: (event: Event, log: BackgroundOptions['log']) => Promise<Answer>,
  told: { about?: (event: Event) => About; outcome?: (answer: Answer) => About } = {},
  options?: BackgroundOptions,
): (event: Event, context?: Context) => Promise<Answer> {
  if (options !== undefined) return entryWith(name, run, told, options);
  let entry: Promise<(event: Event, context: Context) => Promise<Answer>> | undefined;
  return async (event, context) => {
    entry ??= import('./telemetry.ts').then(({ instrument, log }) =>
      instrument(entryWith(name, run, told, { log, now: () => performance.now(), newIncident: randomUUID })),
    );
    return (await entry)(event, context as Context);
  };
}

function entryWith<Event, Answer>(
  name: string,
  run: (event: Event, log: BackgroundOptions['log']) => Promise<Answer>,
  { about, outcome }: { about?: (event: Event) => About; outcome?: (answer: Answer) => About },
  options: BackgroundOptions,
): (event: Event) => Promise<Answer> {
  return async (event) => {
    const startedAt = options.now();
    const line = { event: 'task', function: name, ...about?.(event) } as const;
    try {
      const answer = await run(event, options.log);
      await settle(options.log, 'task');
      const durationMs = Math.round(options.now() - startedAt);
      options.log({ ...line, status: 'done', ...outcome?.(answer), durationMs });
      return answer;
    } catch (error) {
      const incident = options.newIncident();
      const durationMs = Math.round(options.now() - startedAt);
      options.log({ ...line, status: 'failed', incident, durationMs });
      options.log({ ...line, event: 'fault', incident, errors: errorRecords(error) });
      const retryable = !(error instanceof Fault) || error.retryable;
      throw new Fault('dispatcher', `incident ${incident}`, { retryable });
    }
  };
}
