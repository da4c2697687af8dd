import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { type LogLine, type LogRecord, lineOf } from '../shared/events/log-events.ts';
import { measuresOf } from '../shared/events/measures.ts';
import { cloudWatchNames, metricRow } from '../shared/events/metrics.ts';

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
  for (const measure of measuresOf(record)) {
    const { type, unit } = metricRow(measure.metric);
    const isTime = unit === 'seconds';
    const [value, billed] =
      isTime && type === 'histogram'
        ? [measure.value * 1000, MetricUnit.Milliseconds]
        : [measure.value, isTime ? MetricUnit.Seconds : MetricUnit.Count];
    for (const name of cloudWatchNames(measure)) metrics.addMetric(name, billed, value);
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
