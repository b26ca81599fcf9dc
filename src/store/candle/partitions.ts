import type { Micros } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Candle } from '../../domain/candle.ts';
import type { Timeframe } from '../../domain/timeframe.ts';
import { timeframes } from '../../domain/timeframe.ts';
import type { Database, Sql } from '../database.ts';
import { classifyDatabaseError } from '../database-error.ts';
import type { Partition } from './partition.ts';
import { partitionNamed, partitionOf, timeframeTable } from './partition.ts';
import { formatTimestamp } from '../timestamptz.ts';

/** How many days candles are kept, by timeframe; 0 or none: for ever. */
export type Retention = Readonly<Partial<Record<Timeframe, number>>>;

const day: Micros = 86_400_000_000;

/** How far ahead partitions are attached: a persistor that is away for this long misses none. */
const aheadDays = 3;

/** All who attach or drop partitions take this lock; an arbitrary number of our own. */
const advisoryLock = 7_201_810_001;

/**
 * A lock on the whole table stops every reader behind it, so that one is only waited for shortly;
 * the next round tries again.
 */
const lockTimeout = '500ms';

/** Each new table holds a few locks to the end of its transaction, and Postgres has a fixed number. */
const partitionsPerSql = 50;

/** Knows the partitions of the table candle, attaches what is needed and drops what is too old. */
export class CandlePartitions {
  readonly #database: Database;
  readonly #retention: Retention;
  readonly #logger: Logger;
  readonly #attached = new Set<string>();
  /** Candles that open before it are not kept; by the database's clock at the last maintenance. */
  readonly #keptFrom = new Map<Timeframe, Micros>();

  constructor(database: Database, retention: Retention, logger: Logger) {
    this.#database = database;
    this.#retention = retention;
    this.#logger = logger;
  }

  /** Whether a candle is too old to be stored: its partition has been dropped. */
  isExpired({ timeframe, openTime }: Pick<Candle, 'timeframe' | 'openTime'>): boolean {
    const keptFrom = this.#keptFrom.get(timeframe);
    return keptFrom !== undefined && partitionOf(timeframe, openTime).to <= keptFrom;
  }

  /** Attaches those of `partitions` that are not there yet. */
  async ensure(partitions: Iterable<Partition>): Promise<void> {
    const missing = [...partitions].filter(({ name }) => !this.#attached.has(name));
    for (let start = 0; start < missing.length; start += partitionsPerSql) {
      const some = missing.slice(start, start + partitionsPerSql);
      await this.#alone(async (sql) => {
        for (const partition of some) await attach(sql, partition);
      });
      for (const { name } of some) this.#attached.add(name);
    }
  }

  /** Forgets what is known: somebody else has dropped a partition. */
  forget(): void {
    this.#attached.clear();
  }

  /** Attaches the partitions of the coming days and drops those that retention is over for. */
  async maintain(): Promise<void> {
    const rows = await this.#database.run((sql) => sql<{ now: Micros }>`select now()`);
    const now = rows[0]?.now ?? 0;
    const ahead = new Map<string, Partition>();
    for (const timeframe of timeframes) {
      for (let days = 0; days <= aheadDays; days++) {
        const partition = partitionOf(timeframe, now + days * day);
        ahead.set(partition.name, partition);
      }
      const keptDays = this.#retention[timeframe] ?? 0;
      if (keptDays > 0) this.#keptFrom.set(timeframe, now - keptDays * day);
    }
    await this.ensure(ahead.values());
    await this.#dropExpired();
  }

  async #dropExpired(): Promise<void> {
    for (const [timeframe, keptFrom] of this.#keptFrom) {
      const names = await this.#database.run(
        (sql) => sql<{ name: string }>`
          select child.relname as name
          from pg_inherits
          join pg_class child on child.oid = inhrelid
          where inhparent = ${timeframeTable(timeframe)}::regclass
          order by child.relname`,
      );
      for (const { name } of names) {
        const partition = partitionNamed(name);
        if (partition === undefined || partition.to > keptFrom) continue;
        try {
          await this.#alone((sql) => sql.text(`drop table if exists ${name}`));
          this.#attached.delete(name);
          this.#logger.info({ partition: name }, 'Dropped candles beyond their retention');
        } catch (error) {
          if (classifyDatabaseError(error) === 'data') throw error;
          this.#logger.warn({ partition: name, err: error }, 'Dropping candles is put off');
        }
      }
    }
  }

  /** Works on the table's partitions when nobody else does. */
  async #alone(work: (sql: Sql) => Promise<unknown>): Promise<void> {
    await this.#database.transaction(async (sql) => {
      await sql`select set_config('lock_timeout', ${lockTimeout}, true)`;
      await sql`select pg_advisory_xact_lock(${advisoryLock}::bigint)`;
      await work(sql);
    });
  }
}

/**
 * Made beside the table and then attached: `create table … partition of` would lock out every reader
 * and writer of the whole table, attaching does not.
 */
async function attach(sql: Sql, { name, timeframe, from, to }: Partition): Promise<void> {
  const [found] = await sql`select to_regclass(${name}) is not null as exists`;
  if (found?.['exists'] === true) return;
  const parent = timeframeTable(timeframe);
  await sql.text(`create table ${name} (like ${parent} including all)`);
  await sql.text(
    `alter table ${parent} attach partition ${name}
     for values from ('${formatTimestamp(from)}') to ('${formatTimestamp(to)}')`,
  );
}
