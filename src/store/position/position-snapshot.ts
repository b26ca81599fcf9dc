import type { Micros } from '../../base/clock.ts';
import type { ExecutionKey } from '../../domain/execution.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { PositionName } from '../../domain/position.ts';
import { textColumn } from '../column.ts';
import type { Sql } from '../database.ts';
import { partFromRow, runFromRow } from './position-row.ts';
import type { StoredPart, StoredRun } from './position-row.ts';
import { selectAfter, selectTails } from './position-statements.ts';
import type { KeyedRun, PositionSnapshot, PositionTail, TailQuery } from './position-store.ts';
import { formatTimestamp } from '../timestamptz.ts';

/** Asks over one connection, within a transaction that sees one moment. */
export class PostgresSnapshot implements PositionSnapshot {
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

/** No segment, and the run's fees beside its own. */
export type StoredTail = (StoredPart | { readonly [Name in keyof StoredPart]: null }) &
  Omit<StoredRun, 'fees'> & { readonly run_fees: string | null };

/** One for each instrument. */
export async function readTails(
  sql: Sql,
  account: string,
  instruments: readonly InstrumentName[],
  { until, wanted }: TailQuery,
): Promise<readonly PositionTail[]> {
  const values = [account, textColumn(instruments), timeOrEver(until), wanted];
  const rows = await sql.prepared<StoredTail>({ name: 'readTails', text: selectTails, values });
  return rows.map(tailFromRow);
}

export function tailFromRow(row: StoredTail): PositionTail {
  return {
    segment: row.executed_time === null ? undefined : partFromRow(row),
    ...runFromRow({ ...row, fees: row.run_fees }),
  };
}

/** Parameters for a key. */
export function keyValues({
  executedTime,
  source,
  sourceId,
}: ExecutionKey): [string, string, string] {
  return [formatTimestamp(executedTime), source, sourceId];
}

function timeOrEver(time: Micros | undefined): string {
  return time === undefined ? 'infinity' : formatTimestamp(time);
}
