import type { Micros } from '../../base/clock.ts';
import { parseSum } from '../../base/decimal.ts';
import type { Execution } from '../../domain/execution.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { Database } from '../database.ts';
import { formatTimestamp } from '../timestamptz.ts';

/** The place of an execution among all of its account. */
export type ExecutionPlace = Pick<Execution, 'instrument' | 'executedTime' | 'source' | 'sourceId'>;

export type ExecutionQuery = {
  readonly account: string;
  /** Undefined: all, one after the other. */
  readonly instrument?: InstrumentName | undefined;
  readonly source?: string | undefined;
  /** Those at or after this. */
  readonly from?: Micros | undefined;
  /** Those before this. */
  readonly to?: Micros | undefined;
  /** Those behind this one, in the order asked for. */
  readonly after?: ExecutionPlace | undefined;
  readonly newestFirst?: boolean;
  readonly limit: number;
};

export type RecordedExecution = Execution & { readonly recordedTime: Micros };

const place = ['instrument', 'executed_time', 'source', 'source_id'];

/** Reads what is recorded. */
export class ExecutionReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Executions by instrument, then in the order that positions fold them in; at most `limit`. */
  async list(query: ExecutionQuery): Promise<readonly RecordedExecution[]> {
    const { account, instrument, source, from, to, after, newestFirst = false, limit } = query;
    const values: (string | number)[] = [];
    const parameter = (value: string | number) => `$${values.push(value)}`;
    const conditions = [`account = ${parameter(account)}`];
    if (instrument !== undefined) conditions.push(`instrument = ${parameter(instrument)}`);
    if (source !== undefined) conditions.push(`source = ${parameter(source)}`);
    if (from !== undefined) conditions.push(`executed_time >= ${parameter(formatTimestamp(from))}`);
    if (to !== undefined) conditions.push(`executed_time < ${parameter(formatTimestamp(to))}`);
    if (after !== undefined) {
      const { executedTime, sourceId } = after;
      const key = [after.instrument, formatTimestamp(executedTime), after.source, sourceId];
      const behind = newestFirst ? '<' : '>';
      conditions.push(`(${place.join(', ')}) ${behind} (${key.map(parameter).join(', ')})`);
    }
    const order = place.map((column) => (newestFirst ? `${column} desc` : column)).join(', ');
    const rows = await this.#database.run((sql) =>
      sql.text<StoredExecution>(
        `select account, instrument, executed_time, source, source_id, quantity, price, fee,
           decided_time, corrects, recorded_at
         from execution
         where ${conditions.join(' and ')}
         order by ${order}
         limit ${parameter(limit)}`,
        values,
      ),
    );
    return rows.map(executionFromRow);
  }
}

type StoredExecution = {
  readonly account: string;
  readonly instrument: string;
  readonly executed_time: Micros;
  readonly source: string;
  readonly source_id: string;
  readonly quantity: string;
  readonly price: string;
  readonly fee: string;
  readonly decided_time: Micros | null;
  readonly corrects: string | null;
  readonly recorded_at: Micros;
};

function executionFromRow(row: StoredExecution): RecordedExecution {
  return {
    account: row.account,
    instrument: row.instrument,
    source: row.source,
    sourceId: row.source_id,
    quantity: parseSum(row.quantity),
    price: parseSum(row.price),
    fee: parseSum(row.fee),
    executedTime: row.executed_time,
    decidedTime: row.decided_time ?? undefined,
    corrects: row.corrects ?? undefined,
    recordedTime: row.recorded_at,
  };
}
