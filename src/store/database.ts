import pg from 'pg';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { Refusal } from '../domain/refusal.ts';
import { sqlOver, sqlTypes } from './sql.ts';
import type { Sql } from './sql.ts';

export type { Sql } from './sql.ts';

/** Access to Postgres. Disposing it closes all connections. */
export interface Database extends AsyncDisposable {
  /**
   * Does something over one connection. It must be safe to do again: when it fails because of an
   * outage it is not known whether it happened.
   * @throws what Postgres says; Error when it cannot be reached or does not answer in time; Refusal
   * (unavailable) when too many wait already
   */
  run<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** The same in one transaction: all of it happens or nothing. */
  transaction<T>(work: (sql: Sql) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

export type TransactionOptions = {
  /** How long all of it may take at most; without it, somewhat longer than one statement. */
  readonly longestMs?: number;
};

export type DatabaseOptions = {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly program: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Connections at most; who finds none free waits 3 s for one. */
  readonly poolSize?: number;
  /** How long Postgres may work on one statement before it gives it up. */
  readonly statementTimeoutMs?: number;
};

const defaultPoolSize = 4;
const defaultStatementTimeoutMs = 5_000;
/** Longer waits for a lock are tried again later: the one who holds it may be stuck. */
const lockTimeoutMs = 2_000;
/** A transaction of ours is never idle, but for a stop of the process. */
const idleInTransactionTimeoutMs = 10_000;
const connectTimeoutMs = 3_000;
/**
 * What a `run` may take beyond its statements' own bound. After that the connection is dead: a
 * firewall that swallows packets tells nobody, and TCP itself would wait for a quarter of an hour.
 */
const silenceAllowanceMs = connectTimeoutMs + 2_000;
/** `run`s under way at once; beyond it more waiting would only add to the delay. */
const maximumRunning = 256;

/**
 * Opens no connection yet: each is made when it is needed, and again when it was lost. The driver is
 * `pg` and not postgres.js, whose `begin` (3.4.9) ends the process when a connection is lost within a
 * transaction, or runs a dead transaction's statements inside another one.
 */
export function openDatabase(options: DatabaseOptions): Database {
  return new PooledDatabase(options);
}

class PooledDatabase implements Database {
  readonly #pool: pg.Pool;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  #running = 0;

  constructor(options: DatabaseOptions) {
    const { url, program, clock, logger, statementTimeoutMs = defaultStatementTimeoutMs } = options;
    this.#clock = clock;
    this.#deadlineMs = statementTimeoutMs + silenceAllowanceMs;
    this.#pool = new pg.Pool({
      connectionString: url,
      application_name: program,
      max: options.poolSize ?? defaultPoolSize,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
      options: '-c TimeZone=UTC -c DateStyle=ISO',
      keepAlive: true,
      types: sqlTypes,
    });
    // A lost connection is told twice: here, and to whoever uses it. Unheard, it ends the process.
    this.#pool.on('error', (error) => logger.debug({ err: error }, 'An idle connection was lost'));
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  run<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#run(work, this.#deadlineMs);
  }

  async #run<T>(work: (sql: Sql) => Promise<T>, deadlineMs: number): Promise<T> {
    if (this.#running >= maximumRunning) {
      throw new Refusal('unavailable', 'The store has too much to do: try again later');
    }
    this.#running++;
    try {
      const client = await this.#pool.connect();
      let isSound = false;
      try {
        const result = await this.#inTime(work(sqlOver(client)), deadlineMs);
        isSound = true;
        return result;
      } catch (error) {
        // After an error of the statement the connection is as good as before.
        isSound = error instanceof pg.DatabaseError && error.severity === 'ERROR';
        throw error;
      } finally {
        client.release(!isSound);
      }
    } finally {
      this.#running--;
    }
  }

  transaction<T>(
    work: (sql: Sql) => Promise<T>,
    { longestMs = 0 }: TransactionOptions = {},
  ): Promise<T> {
    return this.#run(
      async (sql) => {
        await sql.text('begin');
        let result: T;
        try {
          result = await work(sql);
        } catch (error) {
          // Should this fail, too, then the connection is gone, and the transaction with it.
          if (error instanceof pg.DatabaseError) await sql.text('rollback');
          throw error;
        }
        await sql.text('commit');
        return result;
      },
      Math.max(longestMs, this.#deadlineMs),
    );
  }

  async #inTime<T>(result: Promise<T>, deadlineMs: number): Promise<T> {
    const { promise: silence, reject } = Promise.withResolvers<never>();
    using _deadline = this.#clock.setTimer(deadlineMs, () => {
      reject(new Error(`The database did not answer within ${deadlineMs} ms`));
    });
    return await Promise.race([result, silence]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }
}
