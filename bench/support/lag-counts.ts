const bucketMicros = 100;
const buckets = 100_000;

export type LagSummary = {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/** Counts lags of up to ten seconds by tenths of a millisecond; longer ones as that. */
export class LagCounts {
  readonly #counts = new Uint32Array(buckets);
  #count = 0;
  #maxMicros = 0;

  add(micros: number): void {
    const bucket = Math.min(buckets - 1, Math.max(0, Math.floor(micros / bucketMicros)));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
    this.#maxMicros = Math.max(this.#maxMicros, micros);
  }

  summary(): LagSummary {
    const maxMs = this.#maxMicros / 1000;
    return { count: this.#count, p50Ms: this.#below(0.5), p99Ms: this.#below(0.99), maxMs };
  }

  /** Milliseconds that this part of all lags stayed below. */
  #below(part: number): number {
    let left = this.#count * part;
    for (let bucket = 0; bucket < buckets; bucket++) {
      left -= this.#counts[bucket] ?? 0;
      if (left <= 0) return ((bucket + 1) * bucketMicros) / 1000;
    }
    return (buckets * bucketMicros) / 1000;
  }
}
