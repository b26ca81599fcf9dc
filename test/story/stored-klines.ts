import { expect } from 'vitest';
import type { Micros } from '../../src/base/clock.ts';
import type { Candle } from '../../src/domain/candle.ts';
import { closeTimeOf, openTimeOf, timeframes } from '../../src/domain/timeframe.ts';
import type { Timeframe } from '../../src/domain/timeframe.ts';
import { klineAt } from '../../src/simulator/kline.ts';
import type { Kline } from '../../src/simulator/kline.ts';
import { openSymbol } from '../../src/simulator/simulated-symbol.ts';
import { CandleReader } from '../../src/store/candle-store.ts';
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
 * Holds the rows against the simulator's klines, both ways: each kline that closed within the span
 * has exactly one row, and each row its kline. Rows whose observation began or ended inside them
 * are there, and say so; all others are complete and equal to the last digit.
 * @returns how many rows were equal
 */
export async function expectKlinesStored(
  database: Database,
  symbol: string,
  span: Span,
): Promise<number> {
  let equal = 0;
  const { tape } = openSymbol(seed, symbol);
  for (const timeframe of timeframes) {
    const rows = await storedCandles(database, symbol, timeframe, span);
    const klines: Kline[] = [];
    // The first candle that ends after the span's start; its own start may lie before.
    let openTime = openTimeOf(timeframe, span.from);
    while (closeTimeOf(timeframe, openTime) <= span.to) {
      const kline = klineAt(tape, timeframe, openTime, span.to + 10_000_000);
      if (kline !== undefined) klines.push(kline);
      openTime = closeTimeOf(timeframe, openTime);
    }
    expect(rows.map(timeOf), `${symbol} ${timeframe}: which candles are stored`).toEqual(
      klines.map(timeOf),
    );
    for (const [index, row] of rows.entries()) {
      if (row.isPartial) {
        expect(row.openTime, `${symbol} ${timeframe}: only the first is partial`).toBe(
          rows[0]?.openTime,
        );
        continue;
      }
      expect(row.isComplete, `${symbol} ${timeframe} ${timeOf(row)} is complete`).toBe(true);
      expect(valuesOf(row), `${symbol} ${timeframe} ${timeOf(row)}`).toEqual(
        valuesOf(klines[index] as Kline),
      );
      equal++;
    }
  }
  return equal;
}

export const timeOf = ({ openTime }: { openTime: Micros }) =>
  new Date(openTime / 1000).toISOString();

export function valuesOf(candle: Candle | Kline): Record<string, unknown> {
  const { open, high, low, close, volume, quoteVolume, tradeCount } = candle;
  const { takerBuyVolume, takerBuyQuoteVolume } = candle;
  const isFlat = tradeCount === 0;
  const ids = isFlat ? {} : { first: candle.firstTradeId, last: candle.lastTradeId };
  const taken = { takerBuyVolume, takerBuyQuoteVolume };
  return { open, high, low, close, volume, quoteVolume, tradeCount, ...taken, ...ids };
}
