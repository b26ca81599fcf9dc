import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { BatchResult, PreparedBatch } from '../store/candle/candle-store.ts';
import { CandleReader, CandleWriter } from '../store/candle/candle-store.ts';
import type { Database } from '../store/database.ts';
import type { Retention } from '../store/candle/partitions.ts';
import { CandlePartitions } from '../store/candle/partitions.ts';
import type { BatchBounds } from './batch-buffer.ts';
import { BatchBuffer } from './batch-buffer.ts';
import { logRefused } from './log-refused.ts';
import { Patience, throwBug } from './patience.ts';
import { PersistorCounts } from './persistor-counts.ts';
import type { FollowCandles, StreamBatch } from './stream-batch.ts';
import { CursorTooOldError, rowsOf } from './stream-batch.ts';

/** Partitions are attached days ahead and dropped days behind: minutes do not matter. */
const maintenancePeriodMs = 600_000;

export type PersistorOptions = {
  /** The name under which the cursor is kept. */
  readonly name: string;
  readonly follow: FollowCandles;
  readonly database: Database;
  readonly bounds: BatchBounds;
  readonly retention: Retention;
  /** Told, in µs, how long after its close each candle was committed. */
  readonly onWritten?: (delay: Micros) => void;
  readonly clock: Clock;
  readonly logger: Logger;
};

/**
 * Carries the stream of closed candles into the database until it is disposed. Server and database
 * may go and come back as they like: it waits for them and goes on after the last cursor that was
 * committed, so that it loses nothing that the server still retains.
 */
export class Persistor implements AsyncDisposable {
  readonly counts = new PersistorCounts();
  /** Settles when it has ended; rejects when there is a bug. */
  readonly ended: Promise<void>;
  readonly #options: PersistorOptions;
  readonly #reader: CandleReader;
  readonly #writer: CandleWriter;
  readonly #partitions: CandlePartitions;
  readonly #buffer: BatchBuffer;
  readonly #patience: Patience;
  readonly #stopping = new AbortController();
  #takenRows = 0;

  constructor(options: PersistorOptions) {
    const { database, retention, logger, clock, bounds } = options;
    this.#options = options;
    this.#partitions = new CandlePartitions(database, retention, logger);
    this.#reader = new CandleReader(database);
    this.#writer = new CandleWriter(database, this.#partitions);
    this.#buffer = new BatchBuffer(clock, bounds);
    this.#patience = new Patience(this.counts, this.#stopping.signal, clock, logger);
    this.ended = this.#run();
    // Whoever starts it may only look at its end when there is one.
    this.ended.catch(() => {});
  }

  /** The rows received and not committed: those in the buffer and at most two batches. */
  get uncommittedRows(): number {
    return this.#buffer.rows + this.#takenRows;
  }

  /** Commits what has arrived, if the database is there, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.ended.catch(() => {});
  }

  #stop(): void {
    this.#stopping.abort();
    this.#buffer.close();
  }

  async #run(): Promise<void> {
    const { name } = this.#options;
    // Until it is known what is too old, and that there is a table, nothing can be stored.
    await this.#patience.insist(() => this.#partitions.maintain(), 'Waiting for the database');
    const cursor = await this.#patience.insist(
      () => this.#reader.readCursor(name),
      'Waiting for the database',
    );
    const tasks = [this.#read(cursor), this.#write(), this.#maintain()];
    try {
      await Promise.all(tasks);
    } finally {
      this.#stop();
      await Promise.allSettled(tasks);
    }
  }

  /** From the server into the buffer. */
  async #read(stored: string | undefined): Promise<void> {
    const { follow, logger } = this.#options;
    const { signal } = this.#stopping;
    let resumeAfter = stored;
    let last = stored;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        logger.info({ resumeAfter }, 'Following the server');
        for await (const batch of follow(resumeAfter, signal)) {
          failures = 0;
          this.counts.isFollowing = true;
          last = batch.cursor ?? last;
          await this.#buffer.add(batch);
          if (signal.aborted) return;
        }
        throw new Error('The stream ended');
      } catch (error) {
        if (signal.aborted) return;
        throwBug(error);
        this.counts.isFollowing = false;
        resumeAfter = last;
        if (error instanceof CursorTooOldError) {
          this.counts.cursorsTooOld++;
          resumeAfter = undefined;
          logger.error(
            { err: error, cursor: last },
            'What came after the cursor is gone, going on with all that the server retains',
          );
          if (failures === 0) continue;
        }
        this.counts.streamFailures++;
        await this.#patience.waitAfter(failures, error, 'The stream ended, following it again');
      }
    }
  }

  /** From the buffer into the database: one batch is prepared while the one before it is written. */
  async #write(): Promise<void> {
    let writing = Promise.resolve(true);
    for (;;) {
      const batch = await Promise.race([this.#buffer.take(), failureOf(writing)]);
      if (batch !== undefined) this.#takenRows += rowsOf(batch);
      const prepared = batch && this.#prepare(batch);
      // Stopped without having it: it comes again after the stored cursor.
      if (!(await writing) || batch === undefined || prepared === undefined) return;
      writing = this.#store(batch, prepared);
    }
  }

  #prepare({ candles, gaps, cursor: value }: StreamBatch): PreparedBatch {
    const cursor = value === undefined ? {} : { cursor: { name: this.#options.name, value } };
    return this.#writer.prepare({ candles, gaps, ...cursor });
  }

  /** Whether it is stored; not when the persistor was stopped meanwhile. */
  async #store(batch: StreamBatch, prepared: PreparedBatch): Promise<boolean> {
    const result = await this.#patience.insist(
      () => this.#writer.write(prepared),
      'A batch could not be stored, trying it again',
    );
    if (result === undefined) return false;
    this.#takenRows -= rowsOf(batch);
    this.#count(batch, result);
    return true;
  }

  #count({ candles }: StreamBatch, result: BatchResult): void {
    const { clock, logger, onWritten } = this.#options;
    this.counts.batches++;
    this.counts.written += result.written;
    this.counts.superseded += result.superseded;
    this.counts.expired += result.expired;
    this.counts.refused += result.refused.length;
    const newest = candles.reduce((newest, { closeTime }) => Math.max(newest, closeTime), 0);
    const now = clock.now();
    if (newest > 0) this.counts.lagSeconds = (now - newest) / 1e6;
    for (const candle of candles) {
      // What was read back or mended later says nothing of the way from the market to the database.
      if (candle.revision === 1 && candle.source === 'trades') onWritten?.(now - candle.closeTime);
    }
    logRefused(logger, result.refused);
    logger.debug({ written: result.written, superseded: result.superseded }, 'Stored a batch');
  }

  async #maintain(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#patience.sleep(maintenancePeriodMs);
      if (signal.aborted) return;
      await this.#patience.insist(
        () => this.#partitions.maintain(),
        'Partitions could not be maintained',
      );
    }
  }
}

/** Never settles but by failing. */
function failureOf(work: Promise<unknown>): Promise<never> {
  return work.then(() => new Promise<never>(() => {}));
}
