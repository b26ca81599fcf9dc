import type { Micros } from '../base/clock.ts';
import type { ExecutionKey } from '../domain/execution.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { PositionName } from '../domain/position.ts';
import { textColumn } from './column.ts';
import type { Database, Sql } from './database.ts';
import { historyPieces, selectHistory } from './position-history-row.ts';
import type { StoredHistoryPiece } from './position-history-row.ts';
import {
  partColumns,
  partFromRow,
  runColumns,
  runFromRow,
  segmentColumns,
} from './position-row.ts';
import type { StoredPart, StoredRun } from './position-row.ts';
import type {
  HistoryPiece,
  KeyedRun,
  PositionChange,
  PositionPart,
  PositionSegment,
  PositionSnapshot,
  PositionStore,
  PositionTail,
  TailQuery,
} from './position-store.ts';
import { formatTimestamp } from './timestamptz.ts';

const columns = partColumns.join(', ');

const selectSegmentAt = `
  select ${columns} from position_segment
  where account = $1 and instrument = $2 and executed_time > $3
  order by executed_time, source, source_id
  limit 1`;

const selectTails = `
  select ${partColumns.map((name) => `segment.${name}`).join(', ')},
    times, quantities, prices, run.fees as run_fees, sources, source_ids
  from unnest($2::text[]) with ordinality as asked (instrument, number)
  left join lateral (
    select ${columns} from position_segment
    where account = $1 and instrument = asked.instrument and executed_time <= $3
    order by executed_time desc, source desc, source_id desc
    limit 1
  ) as segment on true
  cross join lateral read_executions(
    $1, asked.instrument, coalesce(segment.executed_time, '-infinity'), coalesce(segment.source, ''),
    coalesce(segment.source_id, ''), $3, $4
  ) as run
  order by number`;

const selectAfter = `
  select ${runColumns} from read_executions($1, $2, $3, $4, $5, $6, $7)`;

const saveSegments = `
  select save_position_segments(
    ${Array.from({ length: 22 }, (_, index) => `$${index + 1}`).join(', ')}
  ) as is_saved`;

/** From one name to the next over the index: there are few names and many changes. */
const selectNames = `
  with recursive name (account, instrument) as (
    (select account, instrument from position_change
     where (account, instrument) > ($2, $3) and ($1::text is null or account = $1)
     order by account, instrument limit 1)
    union all
    select next.account, next.instrument from name cross join lateral (
      select account, instrument from position_change
      where (account, instrument) > (name.account, name.instrument)
        and ($1::text is null or account = $1)
      order by account, instrument limit 1
    ) as next
  )
  select account, instrument from name limit $4`;

const selectChanges = `
  select log_position, account, instrument, executed_time, source, source_id, execution_count
  from position_change where log_position > $1 order by log_position limit $2`;

/** A longer segment makes what is kept smaller, a shorter one a question about a moment cheaper. */
const defaultSegmentLength = 32;

/** Executions and kept segments in Postgres. */
export class PostgresPositionStore implements PositionStore {
  readonly segmentLength: number;
  readonly #database: Database;

  /** All who work on a database must have the same segment length. */
  constructor(database: Database, segmentLength = defaultSegmentLength) {
    this.#database = database;
    this.segmentLength = segmentLength;
  }

  async segmentAt(
    { account, instrument }: PositionName,
    at: Micros,
  ): Promise<PositionPart | undefined> {
    const values = [account, instrument, formatTimestamp(at)];
    const rows = await this.#database.run((sql) =>
      sql.prepared<StoredPart>({ name: 'segmentAt', text: selectSegmentAt, values }),
    );
    return rows[0] && partFromRow(rows[0]);
  }

  readTails(
    account: string,
    instruments: readonly InstrumentName[],
    query: TailQuery,
  ): Promise<readonly PositionTail[]> {
    return this.#database.run((sql) => readTails(sql, account, instruments, query));
  }

  snapshot<T>(work: (snapshot: PositionSnapshot) => Promise<T>): Promise<T> {
    return this.#database.transaction(async (sql) => {
      await sql.text('set transaction isolation level repeatable read, read only');
      return await work(new PostgresSnapshot(sql));
    });
  }

  async saveSegments(
    { account, instrument }: PositionName,
    base: ExecutionKey | undefined,
    seenThrough: number,
    segments: readonly PositionSegment[],
  ): Promise<boolean> {
    const key = base === undefined ? [null, null, null] : keyValues(base);
    const values = [account, instrument, seenThrough, ...key, ...segmentColumns(segments)];
    const rows = await this.#database.run((sql) =>
      sql.prepared<{ is_saved: boolean }>({ name: 'saveSegments', text: saveSegments, values }),
    );
    return rows[0]?.is_saved === true;
  }

  async dropSegments({ account, instrument }: PositionName, since: Micros): Promise<void> {
    const from = formatTimestamp(since);
    await this.#database.run(
      (sql) => sql`select drop_position_segments(${account}, ${instrument}, ${from})`,
    );
  }

  async readHistory(
    { account, instrument }: PositionName,
    edges: readonly Micros[],
    wanted: number,
  ): Promise<readonly HistoryPiece[]> {
    const values = [account, instrument, `{${edges.map(formatTimestamp).join(',')}}`, wanted];
    const rows = await this.#database.run((sql) =>
      sql.text<StoredHistoryPiece>(selectHistory, values),
    );
    return historyPieces(rows);
  }

  async listNames(
    account: string | undefined,
    after: PositionName | undefined,
    limit: number,
  ): Promise<readonly PositionName[]> {
    const values = [
      account ?? null,
      after?.account ?? account ?? '',
      after?.instrument ?? '',
      limit,
    ];
    return await this.#database.run((sql) => sql.text<PositionName>(selectNames, values));
  }

  async changesAfter(logPosition: number, limit: number): Promise<readonly PositionChange[]> {
    const rows = await this.#database.run((sql) =>
      sql.text<StoredChange>(selectChanges, [logPosition, limit]),
    );
    return rows.map((row) => ({
      logPosition: row.log_position,
      account: row.account,
      instrument: row.instrument,
      earliest: { executedTime: row.executed_time, source: row.source, sourceId: row.source_id },
      executionCount: row.execution_count,
    }));
  }

  async lastLogPosition(): Promise<number> {
    const rows = await this.#database.run(
      (sql) => sql<{ last: number }>`
        select coalesce(max(log_position), 0) as last from position_change`,
    );
    return rows[0]?.last ?? 0;
  }
}

class PostgresSnapshot implements PositionSnapshot {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async lastChange({ account, instrument }: PositionName): Promise<number> {
    const rows = await this.#sql<{ last: number }>`
      select coalesce(max(log_position), 0) as last from position_change
      where account = ${account} and instrument = ${instrument}`;
    return rows[0]?.last ?? 0;
  }

  async readTail({ account, instrument }: PositionName, query: TailQuery): Promise<PositionTail> {
    const [tail] = await readTails(this.#sql, account, [instrument], query);
    if (tail === undefined) throw new Error('Expected a row for each instrument');
    return tail;
  }

  async readAfter(
    { account, instrument }: PositionName,
    key: ExecutionKey,
    { until, wanted }: TailQuery,
  ): Promise<KeyedRun> {
    const values = [account, instrument, ...keyValues(key), timeOrEver(until), wanted];
    const rows = await this.#sql.text<StoredRun>(selectAfter, values);
    if (rows[0] === undefined) throw new Error('Expected one row of executions');
    return runFromRow(rows[0]);
  }
}

type StoredChange = Pick<StoredPart, 'executed_time' | 'source' | 'source_id'> & {
  readonly log_position: number;
  readonly account: string;
  readonly instrument: string;
  readonly execution_count: number;
};

type StoredTail = (StoredPart | { readonly [Name in keyof StoredPart]: null }) &
  Omit<StoredRun, 'fees'> & { readonly run_fees: string | null };

async function readTails(
  sql: Sql,
  account: string,
  instruments: readonly InstrumentName[],
  { until, wanted }: TailQuery,
): Promise<readonly PositionTail[]> {
  const values = [account, textColumn(instruments), timeOrEver(until), wanted];
  const rows = await sql.prepared<StoredTail>({ name: 'readTails', text: selectTails, values });
  return rows.map((row) => ({
    segment: row.executed_time === null ? undefined : partFromRow(row),
    ...runFromRow({ ...row, fees: row.run_fees }),
  }));
}

function keyValues({ executedTime, source, sourceId }: ExecutionKey): [string, string, string] {
  return [formatTimestamp(executedTime), source, sourceId];
}

function timeOrEver(time: Micros | undefined): string {
  return time === undefined ? 'infinity' : formatTimestamp(time);
}
