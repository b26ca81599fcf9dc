import pg from 'pg';
import type { Micros } from '../../base/clock.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Database } from '../database.ts';
import { formatTimestamp } from '../timestamptz.ts';

/** What a freeze is about; undefined: all of them. */
export type FreezeScope = {
  readonly account: string | undefined;
  readonly instrument: InstrumentName | undefined;
};

/** A period that accepts nothing more: everything that happened up to and with `until`. */
export type Freeze = FreezeScope & {
  readonly freezeId: number;
  readonly until: Micros;
  readonly recordedTime: Micros;
};

/** What is still on its way may be as late as this. */
export const minimumFreezeAge: Micros = 60_000_000;

type StoredFreeze = {
  readonly freeze_id: number;
  readonly account: string | null;
  readonly instrument: string | null;
  readonly until: Micros;
  readonly recorded_at: Micros;
};

const columns = 'freeze_id, account, instrument, until, recorded_at';

/** Freezes periods. They are never taken back. */
export class FreezeStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Freezes what happened up to and with `until`, when those who are recording have finished. Asking
   * again makes another freeze of the same.
   * @throws Refusal when `until` is later than a minute ago by the database's clock
   */
  async freeze({ account, instrument }: FreezeScope, until: Micros): Promise<Freeze> {
    const values = [account ?? null, instrument ?? null, formatTimestamp(until)];
    try {
      const rows = await this.#database.run((sql) =>
        sql.text<StoredFreeze>(`select ${columns} from freeze_positions($1, $2, $3)`, values),
      );
      if (rows[0] === undefined) throw new Error('Expected the freeze that was made');
      return freezeFromRow(rows[0]);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.constraint !== 'position_freeze_until') {
        throw error;
      }
      const seconds = minimumFreezeAge / 1_000_000;
      throw new Refusal('invalid', `until: expected a time at least ${seconds} s ago`, {
        field: 'until',
        cause: error,
      });
    }
  }

  /** Freezes with a higher id, in their order. */
  async list(afterId: number, limit: number): Promise<readonly Freeze[]> {
    const rows = await this.#database.run((sql) =>
      sql.text<StoredFreeze>(
        `select ${columns} from position_freeze where freeze_id > $1 order by freeze_id limit $2`,
        [afterId, limit],
      ),
    );
    return rows.map(freezeFromRow);
  }
}

/** The freezes of these ids. */
export async function readFreezes(
  database: Database,
  ids: readonly number[],
): Promise<ReadonlyMap<number, Freeze>> {
  if (ids.length === 0) return new Map();
  const values = [`{${[...new Set(ids)].join(',')}}`];
  const rows = await database.run((sql) =>
    sql.text<StoredFreeze>(
      `select ${columns} from position_freeze where freeze_id = any($1::bigint[])`,
      values,
    ),
  );
  return new Map(rows.map((row) => [row.freeze_id, freezeFromRow(row)]));
}

function freezeFromRow(row: StoredFreeze): Freeze {
  return {
    freezeId: row.freeze_id,
    account: row.account ?? undefined,
    instrument: row.instrument ?? undefined,
    until: row.until,
    recordedTime: row.recorded_at,
  };
}
