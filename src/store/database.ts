import postgres from 'postgres';
import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { Refusal } from '../domain/refusal.ts';
import { formatTimestamp, parseTimestamp } from './timestamptz.ts';

/** A connection pool or a transaction. timestamptz is microseconds, int8 a number, numeric a text. */
export type Sql = postgres.Sql<{ timestamptz: Micros; int8: number }>;
export type Transaction = postgres.TransactionSql<{ timestamptz: Micros; int8: number }>;

/** Access to Postgres. Disposing it closes all connections. */
export interface Database extends AsyncDisposable {
  /**
   * Does something with the database. It must be safe to do again: when it fails because of an
   * outage it is not known whether it happened.
   * @throws what Postgres says; Error when there is no answer in time; Refusal (unavailable) when
   * too many wait already
   */
  run<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
}

export type DatabaseOptions = {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly program: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Connections at most. */
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

/** Opens no connection yet: each is made when it is needed, and again when it was lost. */
export function openDatabase(options: DatabaseOptions): Database {
  return new PooledDatabase(options);
}

class PooledDatabase implements Database {
  readonly #options: DatabaseOptions;
  readonly #deadlineMs: number;
  #sql: Sql;
  #running = 0;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#deadlineMs =
      (options.statementTimeoutMs ?? defaultStatementTimeoutMs) + silenceAllowanceMs;
    this.#sql = connect(options);
  }

  async run<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    if (this.#running >= maximumRunning) {
      throw new Refusal('unavailable', 'The store has too much to do: try again later');
    }
    this.#running++;
    const sql = this.#sql;
    const { promise: silence, reject } = Promise.withResolvers<never>();
    using _deadline = this.#options.clock.setTimer(this.#deadlineMs, () => {
      reject(new Error(`The database did not answer within ${this.#deadlineMs} ms`));
      this.#abandon(sql);
    });
    try {
      return await Promise.race([work(sql), silence]);
    } finally {
      this.#running--;
    }
  }

  /** The pool cannot drop a single connection: it goes as a whole, and a new one takes its place. */
  #abandon(sql: Sql): void {
    if (sql !== this.#sql) return;
    this.#options.logger.warn('The database is silent, opening new connections');
    this.#sql = connect(this.#options);
    void sql.end({ timeout: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.end({ timeout: 1 });
  }
}

function connect(options: DatabaseOptions): Sql {
  const { url, program, poolSize = defaultPoolSize, logger } = options;
  return postgres(url, {
    max: poolSize,
    connect_timeout: connectTimeoutMs / 1000,
    // The owner of each loop backs off by itself; waiting twice would be too long.
    backoff: () => 0,
    keep_alive: 10,
    fetch_types: false,
    onnotice: (notice) => logger.debug({ notice }, 'Postgres'),
    connection: {
      application_name: program,
      statement_timeout: options.statementTimeoutMs ?? defaultStatementTimeoutMs,
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
      TimeZone: 'UTC',
      DateStyle: 'ISO, YMD',
    },
    types: {
      timestamptz: { to: 1184, from: [1184], serialize: formatTimestamp, parse: parseTimestamp },
      int8: { to: 20, from: [20], serialize: String, parse: parseSafeInteger },
    },
  });
}

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`Expected an integer that a number can hold, got ${text}`);
  }
  return value;
}
