import type { Gap } from '../../domain/gap.ts';
import { splitInstrumentName } from '../../domain/instrument.ts';
import type { BatchPiece, EncodedCandle } from './candle-batch.ts';
import { candleColumns } from './candle-row.ts';
import { plainColumn, textColumn } from '../column.ts';
import type { Sql } from '../database.ts';
import { formatTimestamp } from '../timestamptz.ts';

const key = ['exchange', 'symbol', 'timeframe', 'open_time'];
const names = candleColumns.map(([name]) => name);
const replaced = names.filter((name) => !key.includes(name));

/** Rule 8: a stored candle is replaced by a better version only. */
const upsertCandles = `
  insert into candle (${names.join(', ')})
  select * from unnest(${candleColumns.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ')})
  on conflict (${key.join(', ')}) do update set
    ${replaced.map((name) => `${name} = excluded.${name}`).join(', ')}, recorded_at = now()
  where (excluded.trade_count, excluded.run, excluded.revision)
      > (candle.trade_count, candle.run, candle.revision)`;

/** A gap is found open, and then filled or given up; a repeat does not open it again. */
const upsertGaps = `
  insert into gap (exchange, symbol, first_missing_id, last_missing_id, from_time, to_time, state)
  select * from unnest(
    $1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::text[]
  )
  on conflict (exchange, symbol, first_missing_id, last_missing_id) do update set
    state = excluded.state, recorded_at = now()
  where array_position('{open,absent,filled}', excluded.state)
      > array_position('{open,absent,filled}', gap.state)`;

const insertRuns = `
  insert into candle_run (run) select * from unnest($1::bigint[]) on conflict do nothing`;

const upsertCursor = `
  insert into persistor_cursor (name, cursor) values ($1, $2)
  on conflict (name) do update set cursor = excluded.cursor, updated_at = now()`;

/**
 * Writes a piece in the given transaction.
 * @returns how many candles are new or replaced
 */
export async function writePiece(
  sql: Sql,
  { candles, gaps, cursor, columns }: BatchPiece,
): Promise<number> {
  let changed = 0;
  if (candles.length > 0) {
    const values = columns ?? candleValues(candles);
    changed = await sql.run({ name: 'upsertCandles', text: upsertCandles, values });
    const runs = [plainColumn(runsOf(candles))];
    await sql.run({ name: 'insertRuns', text: insertRuns, values: runs });
  }
  if (gaps.length > 0) {
    await sql.run({ name: 'upsertGaps', text: upsertGaps, values: gapParameters(gaps) });
  }
  if (cursor !== undefined) {
    const values = [cursor.name, cursor.value];
    await sql.run({ name: 'upsertCursor', text: upsertCursor, values });
  }
  return changed;
}

/** The candles' columns as array literals. */
export function candleValues(candles: readonly EncodedCandle[]): string[] {
  return candleColumns.map(([name], index) => {
    const values = candles.map(({ row }) => row[index] ?? '');
    // The other texts are words of ours.
    return name === 'exchange' || name === 'symbol' ? textColumn(values) : plainColumn(values);
  });
}

function runsOf(candles: readonly EncodedCandle[]): string[] {
  return [...new Set(candles.map(({ candle }) => String(candle.run)))];
}

function gapParameters(gaps: readonly Gap[]): string[] {
  const instruments = gaps.map(({ instrument }) => splitInstrumentName(instrument));
  return [
    textColumn(instruments.map(({ exchange }) => exchange ?? '')),
    textColumn(instruments.map(({ symbol }) => symbol)),
    plainColumn(gaps.map(({ firstMissingId }) => String(firstMissingId))),
    plainColumn(gaps.map(({ lastMissingId }) => String(lastMissingId))),
    plainColumn(gaps.map(({ fromTime }) => formatTimestamp(fromTime))),
    plainColumn(gaps.map(({ toTime }) => formatTimestamp(toTime))),
    textColumn(gaps.map(({ state }) => state)),
  ];
}
