import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { LogRecord } from '../../shared/events/log-events.ts';
import { measuresOf } from '../../shared/events/measures.ts';
import { MEANINGS } from '../../shared/events/metric-meanings.ts';
import { METRICS, type Measure, type MetricName, metricRow } from '../../shared/events/metrics.ts';

/** Values of one label beyond these are counted together: each is a series of its own, for as long as the process lives. */
const MOST_VALUES = 150;
const OTHERS = 'others';

type Meter = Counter | Gauge | Histogram;

const names = Object.keys(METRICS) as MetricName[];

/** What the embedded server tells Prometheus: counters by the lines of the log, gauges as they were asked for last. */
export class Meters {
  readonly #registry = new Registry();
  readonly #meters = new Map<MetricName, Meter>();
  readonly #values = new Map<string, Set<string>>();

  constructor() {
    for (const name of names) this.#meters.set(name, meterOf(name, this.#registry));
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Counts a line of the log. */
  take(record: LogRecord): void {
    for (const measure of measuresOf(record)) this.#take(measure);
  }

  /** The text format of Prometheus, with these gauges and no others. */
  async text(gauges: readonly Measure[]): Promise<string> {
    for (const name of names) if (METRICS[name].type === 'gauge') this.#meters.get(name)?.reset();
    for (const measure of gauges) this.#take(measure);
    return await this.#registry.metrics();
  }

  #take({ metric, value, labels }: Measure): void {
    const meter = this.#meters.get(metric);
    const bounded = Object.fromEntries(
      Object.entries(labels).map(([label, text]) => [label, this.#bounded(`${metric} ${label}`, text)]),
    );
    if (meter instanceof Counter) meter.inc(bounded, value);
    else if (meter instanceof Gauge) meter.set(bounded, value);
    else meter?.observe(bounded, value);
  }

  #bounded(label: string, text: string): string {
    const known = this.#values.get(label) ?? new Set();
    this.#values.set(label, known);
    if (!known.has(text) && known.size >= MOST_VALUES) return OTHERS;
    known.add(text);
    return text;
  }
}

function meterOf(name: MetricName, registry: Registry): Meter {
  const { type, labels, buckets = [] } = metricRow(name);
  const { meaning: help } = MEANINGS[name];
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  if (type === 'counter') return new Counter(options);
  if (type === 'gauge') return new Gauge(options);
  return new Histogram({ ...options, buckets: [...buckets] });
}
