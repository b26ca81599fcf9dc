import type { Clock } from '../base/clock.ts';
import { describeDatabaseError } from './database-error.ts';
import type { Database } from './database.ts';

export type DatabaseStatus = {
  readonly isUp: boolean;
  /** Why it is not, for people; empty while it is. */
  readonly reason: string;
};

/** An answer counts for so long, however many ask. */
const validMs = 500;
/** A database that does not answer for so long is of no use to those who wait for it. */
const timeoutMs = 1_000;

/** Asks whether a database answers, when somebody wants to know: what it says is at most 1.5 s old. */
export class DatabaseCheck {
  readonly #database: Database;
  readonly #clock: Clock;
  #status: Promise<DatabaseStatus> | undefined;
  #askedAtMs = -Infinity;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Never throws. */
  status(): Promise<DatabaseStatus> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#status === undefined || nowMs - this.#askedAtMs >= validMs) {
      this.#askedAtMs = nowMs;
      this.#status = this.#ask();
    }
    return this.#status;
  }

  async #ask(): Promise<DatabaseStatus> {
    const { promise: silence, reject } = Promise.withResolvers<never>();
    using _timer = this.#clock.setTimer(timeoutMs, () => {
      reject(new Error(`It did not answer within ${timeoutMs} ms`));
    });
    try {
      const asked = this.#database.run((sql) => sql`select 1`);
      // What comes after the time was up is nobody's any more.
      asked.catch(() => {});
      await Promise.race([asked, silence]);
      return { isUp: true, reason: '' };
    } catch (error) {
      return { isUp: false, reason: describeDatabaseError(error) };
    }
  }
}
