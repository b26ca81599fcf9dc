import type { Clock, Timer } from '../base/clock.ts';
import type { StreamBatch } from './stream-batch.ts';
import { rowsOf } from './stream-batch.ts';

export type BatchBounds = {
  /** Rows of one transaction. */
  readonly batchRows: number;
  /** How long a row waits for others to share its transaction with. */
  readonly batchLatencyMs: number;
  /** Rows that wait for the database; beyond it the stream is not read on. */
  readonly bufferRows: number;
};

/**
 * Stands between the stream and the database: collects what arrives into batches, and makes the
 * reader wait when the database cannot keep up.
 */
export class BatchBuffer {
  readonly #clock: Clock;
  readonly #bounds: BatchBounds;
  #batches: StreamBatch[] = [];
  #rows = 0;
  #isClosed = false;
  #isDue = false;
  #dueTimer: Timer | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(clock: Clock, bounds: BatchBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /** The rows that wait. */
  get rows(): number {
    return this.#rows;
  }

  /** Takes a piece of the stream; settles when there is room for the next one, or none is wanted. */
  async add(batch: StreamBatch): Promise<void> {
    if (this.#isClosed) return;
    this.#batches.push(batch);
    this.#rows += rowsOf(batch);
    this.#dueTimer ??= this.#clock.setTimer(this.#bounds.batchLatencyMs, () => {
      this.#isDue = true;
      this.#wake();
    });
    if (this.#rows >= this.#bounds.batchRows) this.#wake();
    while (this.#rows >= this.#bounds.bufferRows && !this.#isClosed) await this.#changed.promise;
  }

  /**
   * The next batch, when it is full or its first row has waited long enough; undefined when the
   * buffer is closed and empty.
   */
  async take(): Promise<StreamBatch | undefined> {
    while (!this.#isReady()) {
      if (this.#isClosed) return undefined;
      await this.#changed.promise;
    }
    const taken: StreamBatch[] = [];
    let rows = 0;
    for (const batch of this.#batches) {
      rows += rowsOf(batch);
      taken.push(batch);
      if (rows >= this.#bounds.batchRows) break;
    }
    this.#batches = this.#batches.slice(taken.length);
    this.#rows -= rows;
    // What is left has waited as long as what was taken.
    if (this.#batches.length === 0) {
      this.#dueTimer?.[Symbol.dispose]();
      this.#dueTimer = undefined;
      this.#isDue = false;
    }
    this.#wake();
    return {
      candles: taken.flatMap(({ candles }) => candles),
      gaps: taken.flatMap(({ gaps }) => gaps),
      cursor: taken.findLast(({ cursor }) => cursor !== undefined)?.cursor,
    };
  }

  /** Takes no more; what waits can still be taken, at once. */
  close(): void {
    this.#isClosed = true;
    this.#dueTimer?.[Symbol.dispose]();
    this.#wake();
  }

  #isReady(): boolean {
    if (this.#batches.length === 0) return false;
    return this.#isDue || this.#isClosed || this.#rows >= this.#bounds.batchRows;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
