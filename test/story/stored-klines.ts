import { expect } from 'vitest';
import type { Micros } from '../../src/base/clock.ts';
import type { Candle, CandleSource } from '../../src/domain/candle.ts';
import { closeTimeOf, timeframes } from '../../src/domain/timeframe.ts';
import type { Timeframe } from '../../src/domain/timeframe.ts';
import { klineAt } from '../../src/simulator/kline.ts';
import type { Kline } from '../../src/simulator/kline.ts';
import { openSymbol } from '../../src/simulator/simulated-symbol.ts';
import { CandleReader } from '../../src/store/candle/candle-store.ts';
import type { Database } from '../../src/store/database.ts';
import { seed } from './line.ts';

export type Span = { readonly from: Micros; readonly to: Micros };

/** The stored candles of a symbol that end within a span. */
export async function storedCandles(
  database: Database,
  symbol: string,
  timeframe: Timeframe,
  { from, to }: Span,
): Promise<readonly Candle[]> {
  const query = { exchange: 'sim-binance', symbol, timeframe, limit: 100_000 };
  const candles = await new CandleReader(database).listCandles(query);
  return candles.filter(({ closeTime }) => closeTime > from && closeTime <= to);
}

/**
 * Holds the rows that end at or before `to` against the simulator's klines, both ways: from the
 * earliest row of a timeframe on, each kline that has closed has exactly one row, and each row its
 * kline, whole and equal to the last digit.
 * @returns how many rows each timeframe has
 */
export async function expectKlinesStored(
  database: Database,
  symbol: string,
  to: Micros,
): Promise<Readonly<Record<Timeframe, number>>> {
  const { tape } = openSymbol(seed, symbol);
  const counts: Partial<Record<Timeframe, number>> = {};
  for (const timeframe of timeframes) {
    const rows = await storedCandles(database, symbol, timeframe, { from: 0, to });
    const klines: Kline[] = [];
    let openTime = rows[0]?.openTime ?? to;
    while (closeTimeOf(timeframe, openTime) <= to) {
      const kline = klineAt(tape, timeframe, openTime, to + 10_000_000);
      if (kline !== undefined) klines.push(kline);
      openTime = closeTimeOf(timeframe, openTime);
    }
    const which = `${symbol} ${timeframe}: which candles are stored`;
    expect(rows.map(timeOf), which).toEqual(klines.map(timeOf));
    for (const [index, row] of rows.entries()) {
      const name = `${symbol} ${timeframe} ${timeOf(row)}`;
      expect([row.isComplete, row.isPartial], `${name} is whole`).toEqual([true, false]);
      expect(valuesOf(row), name).toEqual(valuesOf(klines[index] as Kline, row.source));
    }
    counts[timeframe] = rows.length;
  }
  return counts as Record<Timeframe, number>;
}

export const timeOf = ({ openTime }: { openTime: Micros }) =>
  new Date(openTime / 1000).toISOString();

/** What is compared: klines do not tell ids, so a candle made of them has none. */
export function valuesOf(
  candle: Candle | Kline,
  source: CandleSource = 'source' in candle ? candle.source : 'trades',
): Record<string, unknown> {
  const { open, high, low, close, volume, quoteVolume, tradeCount } = candle;
  const { takerBuyVolume, takerBuyQuoteVolume } = candle;
  const hasIds = tradeCount > 0 && source === 'trades';
  const ids = !hasIds ? {} : { first: candle.firstTradeId, last: candle.lastTradeId };
  const taken = { takerBuyVolume, takerBuyQuoteVolume };
  return { open, high, low, close, volume, quoteVolume, tradeCount, ...taken, ...ids };
}
