import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { type LogLine, type LogRecord, lineOf } from '../shared/events/log-events.ts';

/**
 * Logs, metrics and traces on Lambda, by Powertools. What may be told is decided where a record is made
 * (shared/events/log-events.ts): here records are only carried, and nothing is added that could hold content. Neither
 * events, answers, errors nor outgoing requests are captured. The embedded server does not load this module.
 */
const logger = new Logger();
const metrics = new Metrics();
/** Its instrumentation of HTTP would take down where requests go, and presigned links are secrets. */
const tracer = new Tracer({ captureHTTPsRequests: false });

/** Fields by which the trace of a call or task is found; all are identifiers. */
const ANNOTATED = [
  'function',
  'party',
  'functionCallIdentifier',
  'orderId',
  'requestId',
  'batchId',
  'reportId',
  'incident',
  'kind',
  'id',
  'task',
] as const;

/** One line of the log, what it counts, and what its trace is found by. */
export function log(record: LogRecord): void {
  const line = lineOf(record);
  const { level, message, ...fields } = line;
  logger[level](typeof message === 'string' ? message : record.event, fields);
  count(record);
  if (record.event === 'call' || record.event === 'task') annotate(line);
}

/** Few and without dimensions but the service: CloudWatch bills each name. Per function there are Lambda's own. */
function count(record: LogRecord): void {
  if (record.event === 'fault') metrics.addMetric('Faults', MetricUnit.Count, 1);
  if (record.event === 'call') {
    metrics.addMetric('Calls', MetricUnit.Count, 1);
    if (record.subjectCode !== undefined) metrics.addMetric('CallsRefused', MetricUnit.Count, 1);
    metrics.addMetric('CallDuration', MetricUnit.Milliseconds, record.durationMs);
  }
  if (record.event === 'task') {
    metrics.addMetric('Tasks', MetricUnit.Count, 1);
    if (record.status === 'failed') metrics.addMetric('TasksFailed', MetricUnit.Count, 1);
    metrics.addMetric('TaskDuration', MetricUnit.Milliseconds, record.durationMs);
  }
}

function annotate(line: LogLine): void {
  for (const name of ANNOTATED) {
    const value = line[name];
    if (typeof value === 'string' || typeof value === 'number') tracer.putAnnotation(name, value);
  }
}

/** A handler in an environment of Lambda: its lines carry the request and the trace, its metrics go out with its end. */
export function instrument<Event, Answer>(
  handler: (event: Event, context: Context) => Promise<Answer>,
): (event: Event, context: Context) => Promise<Answer> {
  const chain = middy<Event, Answer>()
    .use(captureLambdaHandler(tracer, { captureResponse: false }))
    .use(injectLambdaContext(logger, { logEvent: false, resetKeys: true }))
    .use(logMetrics(metrics, { throwOnEmptyMetrics: false, captureColdStartMetric: false }))
    .handler(handler);
  return (event, context) => chain(event, context) as Promise<Answer>;
}
