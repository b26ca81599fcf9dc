import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

export { Registry } from 'prom-client';

/** One value of a metric, with its labels. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** What a metric is called and where its values are. */
export type ReadMetric = {
  readonly name: string;
  readonly help: string;
  /** The names of the labels that the samples carry. */
  readonly labelNames?: readonly string[];
  /**
   * Called when the metrics are asked for, never before: the hot path counts in plain fields, which
   * is some twenty times cheaper than a metric object.
   */
  readonly read: () => number | Iterable<Sample>;
};

/** The program's metrics: empty, or with the process's own (memory, CPU, event-loop delay, GC). */
export function openMetrics(options: { readonly processMetrics: boolean }): Registry {
  const registry = new Registry();
  if (options.processMetrics) {
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 10 });
  }
  return registry;
}

/** Registers a counter whose values are read when asked for. They must never fall. */
export function readCounter(registry: Registry, { read, ...metric }: ReadMetric): void {
  const counter: Counter = new Counter({
    name: metric.name,
    help: metric.help,
    labelNames: metric.labelNames ?? [],
    registers: [registry],
    collect: () => {
      counter.reset();
      for (const [labels, value] of samples(read())) counter.inc(labels, value);
    },
  });
}

/** Registers a gauge whose values are read when asked for; a sample that is gone is not shown. */
export function readGauge(registry: Registry, { read, ...metric }: ReadMetric): void {
  const gauge: Gauge = new Gauge({
    name: metric.name,
    help: metric.help,
    labelNames: metric.labelNames ?? [],
    registers: [registry],
    collect: () => {
      gauge.reset();
      for (const [labels, value] of samples(read())) gauge.set(labels, value);
    },
  });
}

function samples(values: number | Iterable<Sample>): Iterable<Sample> {
  return typeof values === 'number' ? [[{}, values]] : values;
}
