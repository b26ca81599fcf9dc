import { setImmediate } from 'node:timers/promises';
import type { AppendOutcome, OrderBatch } from '../../order/order-log.ts';
import type { Database } from '../database.ts';
import { classifyDatabaseError } from '../database-error.ts';
import { appendBatches, isOutOfStep } from './order-append.ts';

type Waiting = {
  readonly batch: OrderBatch;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Appends to the order log, one statement at a time: the batches that come meanwhile, of whatever
 * shards, share the next one. More at a time would gain nothing, as all writers of the log wait for
 * each other's commits. Each shard has one append under way, so that there is no bound to be set.
 */
export class SharedAppends {
  readonly #database: Database;
  readonly #maximumEvents: number;
  #waiting: Waiting[] = [];
  #isAppending = false;

  /** @param maximumEvents of one statement, unless a single batch is larger */
  constructor(database: Database, maximumEvents: number) {
    this.#database = database;
    this.#maximumEvents = maximumEvents;
  }

  append(batch: OrderBatch): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      if (!this.#isAppending) void this.#appendAll();
    });
  }

  async #appendAll(): Promise<void> {
    this.#isAppending = true;
    while (this.#waiting.length > 0) {
      // What comes within this turn of the event loop and the next shares it: whoever has just been
      // answered asks again, and would always miss the append that goes out at once.
      await setImmediate();
      await setImmediate();
      await this.#appendShared(this.#takeNext());
    }
    this.#isAppending = false;
  }

  #takeNext(): readonly Waiting[] {
    let events = 0;
    const rest = this.#waiting.findIndex(({ batch }, index) => {
      events += batch.events.length;
      return index > 0 && events > this.#maximumEvents;
    });
    return this.#waiting.splice(0, rest < 0 ? this.#waiting.length : rest);
  }

  async #appendShared(together: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await appendBatches(
        this.#database,
        together.map(({ batch }) => batch),
      );
      const again = together.filter(({ resolve }, index) => {
        const outcome = outcomes[index];
        if (outcome !== undefined) resolve(outcome);
        return outcome === undefined;
      });
      this.#waiting.unshift(...again);
    } catch (error) {
      await this.#fail(together, error);
    }
  }

  /** What one batch is to blame for must not be told of the others; then nothing is stored yet. */
  async #fail(together: readonly Waiting[], error: unknown): Promise<void> {
    const isOfOne = isOutOfStep(error) || classifyDatabaseError(error) === 'data';
    if (isOfOne && together.length > 1) {
      for (const alone of together) await this.#appendShared([alone]);
      return;
    }
    for (const { resolve, reject } of together) {
      if (isOutOfStep(error)) resolve({ type: 'refused', reason: 'outOfStep' });
      else reject(error);
    }
  }
}
