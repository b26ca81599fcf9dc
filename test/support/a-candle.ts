import { parseDecimal } from '../../src/base/decimal.ts';
import type { Candle } from '../../src/domain/candle.ts';
import type { Gap } from '../../src/domain/gap.ts';
import { closeTimeOf, openTimeOf } from '../../src/domain/timeframe.ts';

/** A closed candle of three trades around a price; what is given replaces the rest. */
export function aCandle({
  price = '100',
  ...given
}: Partial<Candle> & { readonly price?: string } = {}): Candle {
  const { timeframe = '1m', openTime = Date.UTC(2026, 0, 1) * 1000 } = given;
  const average = parseDecimal(price);
  const quantity = parseDecimal('0.5');
  return {
    instrument: 'sim-binance:BTCUSDT',
    timeframe,
    openTime: openTimeOf(timeframe, openTime),
    closeTime: closeTimeOf(timeframe, openTimeOf(timeframe, openTime)),
    open: average,
    high: average + 1n,
    low: average - 1n,
    close: average,
    volume: 3n * quantity,
    quoteVolume: 3n * quantity * average,
    takerBuyVolume: quantity,
    takerBuyQuoteVolume: quantity * average,
    tradeCount: 3,
    priceSum: 3n * average,
    firstTradeId: 1,
    lastTradeId: 3,
    isClosed: true,
    isComplete: true,
    isPartial: false,
    revision: 1,
    run: 1_767_225_600_000_001,
    source: 'trades',
    ...given,
  };
}

/** An open gap of ten trades; what is given replaces the rest. */
export function aGap(given: Partial<Gap> = {}): Gap {
  const fromTime = Date.UTC(2026, 0, 1) * 1000;
  return {
    type: 'gap',
    instrument: 'sim-binance:BTCUSDT',
    firstMissingId: 11,
    lastMissingId: 20,
    fromTime,
    toTime: fromTime + 1,
    state: 'open',
    ...given,
  };
}
