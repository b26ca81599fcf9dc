import type { Micros } from '../../base/clock.ts';
import type { Candle } from '../../domain/candle.ts';
import type { Timeframe } from '../../domain/timeframe.ts';
import type { BatchPiece, CandleBatch, RefusedItem } from './candle-batch.ts';
import { cutIntoPieces, encodeCandles, halve, lastStates } from './candle-batch.ts';
import type { StoredCandle } from './candle-row.ts';
import { candleColumns, candleFromRow } from './candle-row.ts';
import { candleValues, writePiece } from './candle-statements.ts';
import type { Database } from '../database.ts';
import { classifyDatabaseError, describeDatabaseError } from '../database-error.ts';
import type { CandlePartitions } from './partitions.ts';
import { formatTimestamp } from '../timestamptz.ts';

export type { CandleBatch, RefusedItem } from './candle-batch.ts';

/** What became of a batch. */
export type BatchResult = {
  /** Candles that are new or replaced a worse version. */
  readonly written: number;
  /** Candles of which the same or a better version was stored already. */
  readonly superseded: number;
  /** Candles beyond their retention. */
  readonly expired: number;
  /** What will never be stored. */
  readonly refused: readonly RefusedItem[];
};

/** A batch as it goes to the database. */
export type PreparedBatch = {
  readonly pieces: readonly BatchPiece[];
  readonly refused: readonly RefusedItem[];
  readonly candles: number;
  readonly expired: number;
};

export type CandleQuery = {
  readonly exchange: string;
  readonly symbol: string;
  readonly timeframe: Timeframe;
  /** Candles that open at or after this. */
  readonly from?: Micros;
  /** Candles that open before this. */
  readonly to?: Micros;
  readonly limit: number;
  readonly newestFirst?: boolean;
};

/** The last second of the year 9999. */
const latest: Micros = 253_402_300_799_000_000;

const selectOldest = `
  select ${candleColumns.map(([name]) => name).join(', ')} from candle
  where exchange = $1 and symbol = $2 and timeframe = $3
    and open_time >= $4::timestamptz and open_time < $5::timestamptz
  order by open_time
  limit $6`;
const selectNewest = selectOldest.replace('order by open_time', '$& desc');

/** A partition may be dropped by another persistor between making sure of it and writing. */
const partitionAttempts = 3;

/** Reads what the persistor has stored. */
export class CandleReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Candles by open time, at most `limit`. */
  async listCandles(query: CandleQuery): Promise<Candle[]> {
    const { exchange, symbol, timeframe, from = 0, to = latest, limit, newestFirst } = query;
    const values = [exchange, symbol, timeframe, formatTimestamp(from), formatTimestamp(to), limit];
    const statement = newestFirst === true ? selectNewest : selectOldest;
    const rows = await this.#database.run((sql) => sql.text<StoredCandle>(statement, values));
    return rows.map(candleFromRow);
  }

  /** The highest run that has stored a candle; undefined before the first one. */
  async latestRun(): Promise<Micros | undefined> {
    const rows = await this.#database.run(
      (sql) => sql<{ run: number | null }>`select max(run) as run from candle_run`,
    );
    return rows[0]?.run ?? undefined;
  }

  /** The cursor of the last batch that was stored under this name. */
  async readCursor(name: string): Promise<string | undefined> {
    const rows = await this.#database.run(
      (sql) => sql<{ cursor: string }>`select cursor from persistor_cursor where name = ${name}`,
    );
    return rows[0]?.cursor;
  }
}

/** Stores candles, gaps and cursors. */
export class CandleWriter {
  readonly #database: Database;
  readonly #partitions: CandlePartitions;

  constructor(database: Database, partitions: CandlePartitions) {
    this.#database = database;
    this.#partitions = partitions;
  }

  /**
   * Encodes a batch, which costs as much as storing it costs Postgres: whoever has many prepares the
   * next one while one is being written.
   */
  prepare({ candles, gaps, cursor }: CandleBatch): PreparedBatch {
    const refused: RefusedItem[] = [];
    const encoded = encodeCandles(candles, (item) => refused.push(item));
    const kept = encoded.filter(({ candle }) => !this.#partitions.isExpired(candle));
    const pieces = cutIntoPieces(kept, lastStates(gaps), cursor).map((piece) => ({
      ...piece,
      columns: candleValues(piece.candles),
    }));
    return { pieces, refused, candles: candles.length, expired: encoded.length - kept.length };
  }

  /** Prepares and writes a batch. */
  async writeBatch(batch: CandleBatch): Promise<BatchResult> {
    return await this.write(this.prepare(batch));
  }

  /**
   * Stores a batch, each candle only where it is better than the stored one, and its cursor with it:
   * the cursor never says more than is stored. Storing the same again changes nothing.
   *
   * What the database refuses for ever is found by halving, told in the result, and left out.
   * @throws what Postgres says in an outage; then storing the same batch again is right
   */
  async write(batch: PreparedBatch): Promise<BatchResult> {
    const refused = [...batch.refused];
    const pieces = [...batch.pieces];
    let written = 0;
    for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
      try {
        written += await this.#write(piece);
      } catch (error) {
        if (classifyDatabaseError(error) !== 'data') throw error;
        const halves = halve(piece);
        pieces.unshift(...halves);
        if (halves.length > 0) continue;
        const item = piece.candles[0]?.candle ?? piece.gaps[0];
        if (item === undefined) throw error;
        refused.push({ item, reason: describeDatabaseError(error) });
        pieces.unshift({ candles: [], gaps: [], cursor: piece.cursor });
      }
    }
    const { candles, expired } = batch;
    const superseded = candles - written - expired - refused.filter(isCandle).length;
    return { written, superseded, expired, refused };
  }

  async #write(piece: BatchPiece): Promise<number> {
    const partitions = new Map(piece.candles.map(({ partition }) => [partition.name, partition]));
    for (let attempt = 1; ; attempt++) {
      await this.#partitions.ensure(partitions.values());
      try {
        return await this.#database.transaction((sql) => writePiece(sql, piece));
      } catch (error) {
        if (classifyDatabaseError(error) !== 'noPartition' || attempt === partitionAttempts) {
          throw error;
        }
        this.#partitions.forget();
      }
    }
  }
}

function isCandle({ item }: RefusedItem): boolean {
  return !('type' in item);
}
