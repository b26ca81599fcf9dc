import type { Micros } from '../../base/clock.ts';
import type { ExecutionKey } from '../../domain/execution.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { PositionName } from '../../domain/position.ts';
import type { Database } from '../database.ts';
import { historyPieces, selectHistory } from './position-history-row.ts';
import type { StoredHistoryPiece } from './position-history-row.ts';
import { partFromRow, segmentColumns } from './position-row.ts';
import type { StoredPart } from './position-row.ts';
import { keyValues, PostgresSnapshot, readTails, tailFromRow } from './position-snapshot.ts';
import type { StoredTail } from './position-snapshot.ts';
import { saveSegments, selectChanges, selectMoment, selectNames } from './position-statements.ts';
import type {
  HistoryPiece,
  PositionChange,
  PositionMoment,
  PositionSegment,
  PositionSnapshot,
  PositionStore,
  PositionTail,
  TailQuery,
} from './position-store.ts';
import { formatTimestamp } from '../timestamptz.ts';

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

  async readMoment(
    { account, instrument }: PositionName,
    at: Micros,
    wanted: number,
  ): Promise<PositionMoment> {
    const values = [account, instrument, formatTimestamp(at), wanted];
    const [row] = await this.#database.run((sql) =>
      sql.prepared<StoredMoment>({ name: 'readMoment', text: selectMoment, values }),
    );
    if (row === undefined) throw new Error('Expected a segment or what is behind them');
    return row.is_within
      ? { type: 'within', part: partFromRow(row) }
      : { type: 'behind', tail: tailFromRow(row) };
  }

  readTails(
    account: string,
    instruments: readonly InstrumentName[],
    query: TailQuery,
  ): Promise<readonly PositionTail[]> {
    return this.#database.run((sql) => readTails(sql, account, instruments, query));
  }

  snapshot<T>(
    work: (snapshot: PositionSnapshot) => Promise<T>,
    options?: { readonly longestMs?: number },
  ): Promise<T> {
    return this.#database.transaction(async (sql) => {
      await sql.text('set transaction isolation level repeatable read, read only');
      return await work(new PostgresSnapshot(sql));
    }, options);
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

type StoredChange = Pick<StoredPart, 'executed_time' | 'source' | 'source_id'> & {
  readonly log_position: number;
  readonly account: string;
  readonly instrument: string;
  readonly execution_count: number;
};

type StoredMoment =
  | (StoredPart & { readonly is_within: true })
  | (StoredTail & { readonly is_within: false });
