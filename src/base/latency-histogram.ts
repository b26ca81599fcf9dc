import { readCounter } from './metrics.ts';
import type { Registry, Sample } from './metrics.ts';

/** Upper bounds in seconds, as Prometheus writes them. */
const bounds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/**
 * A histogram of durations that costs a few nanoseconds an observation: it counts in plain fields
 * and becomes a metric (`<name>_bucket`, `_sum`, `_count`) when the metrics are asked for.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(bounds.length + 1);
  #sumMicros = 0;
  #count = 0;

  constructor(registry: Registry, name: string, help: string) {
    readCounter(registry, {
      name: `${name}_bucket`,
      help: `${help}; how many took at most le seconds`,
      labelNames: ['le'],
      read: () => this.#cumulative(),
    });
    readCounter(registry, {
      name: `${name}_sum`,
      help: `${help}; all together, in seconds`,
      read: () => this.#sumMicros / 1e6,
    });
    readCounter(registry, {
      name: `${name}_count`,
      help: `${help}; how many`,
      read: () => this.#count,
    });
  }

  /** Counts one duration; a negative one, from clocks that differ, counts as none. */
  observe(micros: number): void {
    const seconds = Math.max(0, micros) / 1e6;
    let index = 0;
    while (index < bounds.length && seconds > (bounds[index] ?? Infinity)) index++;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sumMicros += Math.max(0, micros);
    this.#count++;
  }

  *#cumulative(): Iterable<Sample> {
    let count = 0;
    for (const [index, bucket] of this.#counts.entries()) {
      count += bucket;
      yield [{ le: String(bounds[index] ?? '+Inf') }, count];
    }
  }
}
