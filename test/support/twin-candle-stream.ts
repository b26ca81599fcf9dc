import type { Candle } from '../../src/domain/candle.ts';
import type { FollowCandles, StreamBatch } from '../../src/persistor/stream-batch.ts';
import { aCandle } from './a-candle.ts';

/** The n-th candle of the twin's stream, from 1: one-minute candles, one after the other. */
export function streamedCandle(n: number, instrument = 'sim-binance:BTCUSDT'): Candle {
  return aCandle({ instrument, openTime: Date.UTC(2026, 0, 1) * 1000 + n * 60_000_000 });
}

/**
 * A server's stream of candles in memory: its cursors are the numbers of the candles. What was
 * published stays and can be resumed at any place, until it is told otherwise.
 */
export class TwinCandleStream {
  readonly #batches: StreamBatch[] = [];
  /** Where each reader began. */
  readonly resumedAfter: (string | undefined)[] = [];
  /** How many batches were read, by all readers. */
  batchesRead = 0;
  /** Called before each batch; what it throws ends the stream. */
  beforeBatch: (resumeAfter: string | undefined) => void = () => {};
  #published = Promise.withResolvers<void>();

  get length(): number {
    return this.#batches.length;
  }

  /** Publishes a batch; its cursor is its number unless it is given. */
  publish(batch: Partial<StreamBatch>): void {
    this.#batches.push({
      candles: [],
      gaps: [],
      cursor: String(this.#batches.length + 1),
      ...batch,
    });
    this.#published.resolve();
    this.#published = Promise.withResolvers();
  }

  readonly follow: FollowCandles = (resumeAfter, signal) => this.#follow(resumeAfter, signal);

  async *#follow(
    resumeAfter: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<StreamBatch> {
    this.resumedAfter.push(resumeAfter);
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    aborted.catch(() => {});
    for (let next = Number(resumeAfter ?? 0); ; next++) {
      while (next >= this.#batches.length) await Promise.race([this.#published.promise, aborted]);
      this.beforeBatch(resumeAfter);
      this.batchesRead++;
      yield this.#batches[next] as StreamBatch;
    }
  }
}
