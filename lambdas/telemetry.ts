import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';

/**
 * Logs, metrics and traces on Lambda, by Powertools. What may be told is decided where a record is made
 * (shared/gsma/call-log.ts): here records are only carried, and nothing is added that could hold content. Neither
 * events, answers, errors nor outgoing requests are captured. The embedded server does not load this module.
 */
export type TelemetryRecord = Readonly<Record<string, unknown>> & { readonly event: string };

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
export function log(record: TelemetryRecord): void {
  const { message, ...fields } = record;
  const text = typeof message === 'string' ? message : record.event;
  if (record.event === 'fault') logger.error(text, fields);
  else if (record.event.startsWith('alarm.')) logger.warn(text, fields);
  else logger.info(text, fields);
  count(record);
  if (record.event === 'call' || record.event === 'task') annotate(record);
}

/** Few and without dimensions but the service: CloudWatch bills each name. Per function there are Lambda's own. */
function count({ event, durationMs, subjectCode, status }: TelemetryRecord): void {
  if (event === 'fault') metrics.addMetric('Faults', MetricUnit.Count, 1);
  if (event === 'call') {
    metrics.addMetric('Calls', MetricUnit.Count, 1);
    if (subjectCode !== undefined) metrics.addMetric('CallsRefused', MetricUnit.Count, 1);
    metrics.addMetric('CallDuration', MetricUnit.Milliseconds, Number(durationMs));
  }
  if (event === 'task') {
    metrics.addMetric('Tasks', MetricUnit.Count, 1);
    if (status === 'failed') metrics.addMetric('TasksFailed', MetricUnit.Count, 1);
    metrics.addMetric('TaskDuration', MetricUnit.Milliseconds, Number(durationMs));
  }
}

function annotate(record: TelemetryRecord): void {
  for (const name of ANNOTATED) {
    const value = record[name];
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
