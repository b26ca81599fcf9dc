import { expect, test } from 'vitest';
import type { Candle } from '../../src/domain/candle.ts';
import { timeframes } from '../../src/domain/timeframe.ts';
import { createBinanceDecoder } from '../../src/exchange/binance.ts';
import { Market } from '../../src/market/market.ts';
import { combined } from '../../src/simulator/frame.ts';
import { klineAt } from '../../src/simulator/kline.ts';
import { generateFrames } from '../../src/simulator/recording.ts';
import { openSymbol } from '../../src/simulator/simulated-symbol.ts';
import { seed } from './line.ts';
import { timeOf, valuesOf } from './stored-klines.ts';

const micros = (date: string) => Date.parse(date) * 1000;
/** Seconds are compared one in so many: there are three million. */
const oneIn = 997;

test('six weeks of a quiet symbol give the exchange’s klines, in all timeframes', () => {
  const from = micros('2027-01-20T05:00:00Z');
  const to = micros('2027-03-02T01:00:00Z');
  const instrument = 'sim-binance:LTCBTC';
  const decoder = createBinanceDecoder({ exchange: 'sim-binance' });
  const candles = new Map<string, Candle[]>(timeframes.map((timeframe) => [timeframe, []]));
  let seconds = 0;
  const market = new Market({
    run: 1,
    publish: (update) => {
      if (update.type !== 'candle' || !update.candle.isClosed) return;
      const { timeframe } = update.candle;
      if (timeframe === '1s' && seconds++ % oneIn !== 0) return;
      candles.get(timeframe)?.push(update.candle);
    },
  });
  const opened = { connection: '1', instruments: [instrument], receivedTime: from };
  market.handle({ type: 'connectionOpened', ...opened });
  for (const { time, stream, payload } of generateFrames({
    seed,
    streams: ['ltcbtc@aggTrade'],
    from,
    to,
  })) {
    const event = decoder.decode(combined(stream, payload), time);
    if (event !== undefined) market.handle(event);
  }
  expect(market.counters.candlesRevised).toBe(0);
  expect(seconds).toBeGreaterThan(3_500_000);

  const { tape } = openSymbol(seed, 'LTCBTC');
  for (const timeframe of timeframes) {
    const [first, ...whole] = candles.get(timeframe) ?? [];
    expect(first?.isPartial, `the first ${timeframe} candle is partial`).toBe(true);
    expect(whole.length, `${timeframe} candles`).toBeGreaterThan(0);
    for (const candle of whole) {
      const name = `${timeframe} ${timeOf(candle)}`;
      expect([candle.isComplete, candle.isPartial], name).toEqual([true, false]);
      const kline = klineAt(tape, timeframe, candle.openTime, to);
      expect(valuesOf(candle), name).toEqual(kline && valuesOf(kline));
    }
  }
});
