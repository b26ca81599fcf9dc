import type { BackoffBounds } from '../base/backoff.ts';
import { backoffDelayMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { PersistorCounts } from './persistor-counts.ts';

/** How long is waited before the server or the database is tried again. */
const backoff: BackoffBounds = { minimumMs: 100, maximumMs: 10_000 };

/** Waits for what is away, until the persistor is stopped. */
export class Patience {
  readonly #counts: PersistorCounts;
  readonly #stopped: AbortSignal;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(counts: PersistorCounts, stopped: AbortSignal, clock: Clock, logger: Logger) {
    this.#counts = counts;
    this.#stopped = stopped;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * Does what must be done with the database, however long it is away: once at least, and undefined
   * when the persistor was stopped before it succeeded.
   * @throws only what is a bug
   */
  async insist<T>(work: () => Promise<T>, message: string): Promise<T | undefined> {
    for (let failures = 0; ; failures++) {
      try {
        const result = await work();
        this.#counts.isStoring = true;
        return result;
      } catch (error) {
        throwBug(error);
        this.#counts.isStoring = false;
        this.#counts.databaseFailures++;
        if (this.#stopped.aborted) return undefined;
        await this.waitAfter(failures, error, message);
      }
    }
  }

  /** Says what failed, and waits the longer the more has failed in a row. */
  async waitAfter(failures: number, error: unknown, message: string): Promise<void> {
    const delayMs = Math.round(backoffDelayMs(failures, backoff));
    const reason = error instanceof Error ? error.message : String(error);
    this.#logger.warn({ reason, failures: failures + 1, delayMs }, message);
    await this.sleep(delayMs);
  }

  /** Ends early, and without an error, when the persistor is stopped. */
  async sleep(delayMs: number): Promise<void> {
    try {
      await sleep(this.#clock, delayMs, this.#stopped);
    } catch (error) {
      if (!this.#stopped.aborted) throw error;
    }
  }
}

/** An outage passes, a bug does not: trying again would only hide it. */
export function throwBug(error: unknown): void {
  const bugs = [TypeError, ReferenceError, SyntaxError];
  if (bugs.some((bug) => error instanceof bug)) throw error;
}
