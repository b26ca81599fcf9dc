import type { Micros } from '../../base/clock.ts';
import type { ExecutionKey } from '../../domain/execution.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { DecidedEvent } from '../../order/order-log.ts';
import type { Database } from '../database.ts';
import type { StoredEvent } from './order-event-row.ts';
import { decidedEventFromRow, eventSelection } from './order-event-row.ts';

/** Something that happened to an order, and the order as it was after it. */
export type OrderEntry = DecidedEvent & { readonly type: 'order'; readonly position: number };

/** A position changed: by executions that were recorded together. */
export type PositionEntry = {
  readonly type: 'position';
  readonly position: number;
  readonly account: string;
  readonly instrument: InstrumentName;
  /** The earliest of the executions: the position changed from there on. */
  readonly earliest: ExecutionKey;
  readonly executionCount: number;
};

/** One position of the log. Positions rise in the order of the commits, not by one. */
export type LogEntry = OrderEntry | PositionEntry;

/**
 * Both tables are read in one statement, and so at one moment: since positions follow commit order,
 * all that lies below the last entry is among the entries.
 *
 * Each lateral limit is a look-up by key, which a join need not be: a planner that expects a whole
 * page would rather read all orders, for every commit that the tail is woken by.
 */
const selectAfter = `
  with page as (
    (
      select log_position from order_event where log_position > $1 order by log_position limit $2
    ) union all (
      select log_position from position_change where log_position > $1 order by log_position limit $2
    )
    order by log_position
    limit $2
  )
  select ${eventSelection}, page.log_position,
    c.account as changed_account, c.instrument as changed_instrument, c.executed_time, c.source,
    c.source_id, c.execution_count
  from page
  left join lateral (
    select * from order_event where log_position = page.log_position limit 1
  ) as e on true
  left join lateral (select * from orders where order_id = e.order_id limit 1) as o on true
  left join lateral (
    select * from position_change where log_position = page.log_position limit 1
  ) as c on true
  order by page.log_position`;

/** Reads the log in Postgres: what happened to orders and positions, in the order of the commits. */
export class LogReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The first entries after a position, at most `limit`: fewer mean that there are no more. */
  async readAfter(position: number, limit: number): Promise<readonly LogEntry[]> {
    const rows = await this.#database.run((sql) =>
      sql.text<StoredEntry>(selectAfter, [position, limit]),
    );
    return rows.map(entryFromRow);
  }

  /** The position of the last entry; 0 before the first one. */
  async lastPosition(): Promise<number> {
    const [row] = await this.#database.run(
      (sql) => sql<{ position: number }>`
        select greatest(
          (select max(log_position) from order_event),
          (select max(log_position) from position_change),
          0
        ) as position`,
    );
    return row?.position ?? 0;
  }
}

type StoredEntry = { readonly log_position: number } & (
  | (StoredEvent & { readonly changed_account: null })
  | {
      readonly changed_account: string;
      readonly changed_instrument: string;
      readonly executed_time: Micros;
      readonly source: string;
      readonly source_id: string;
      readonly execution_count: number;
    }
);

function entryFromRow(row: StoredEntry): LogEntry {
  const { log_position: position } = row;
  if (row.changed_account === null) return { type: 'order', position, ...decidedEventFromRow(row) };
  return {
    type: 'position',
    position,
    account: row.changed_account,
    instrument: row.changed_instrument,
    earliest: { executedTime: row.executed_time, source: row.source, sourceId: row.source_id },
    executionCount: row.execution_count,
  };
}
