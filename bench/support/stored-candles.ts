import { parseDecimal } from '../../src/base/decimal.ts';
import type { Candle } from '../../src/domain/candle.ts';

const second = 1_000_000;
const start = Date.UTC(2026, 0, 1) * 1000;
const symbols = 20;

/** The n-th candle of one second of twenty symbols, with numbers as long as the market's are. */
export function storedCandle(n: number): Candle {
  const openTime = start + Math.floor(n / symbols) * second;
  const price = parseDecimal(`${60_000 + (n % 977)}.${String(n % 100).padStart(2, '0')}`);
  const volume = parseDecimal(`${n % 13}.${String(n % 99_991).padStart(5, '0')}`);
  const tick = parseDecimal('0.01');
  return {
    instrument: `sim-binance:SYMBOL${n % symbols}USDT`,
    timeframe: '1s',
    openTime,
    closeTime: openTime + second,
    open: price,
    high: price + tick,
    low: price - tick,
    close: price,
    volume,
    quoteVolume: volume * price,
    takerBuyVolume: volume / 2n,
    takerBuyQuoteVolume: (volume / 2n) * price,
    tradeCount: 17,
    priceSum: price * 17n,
    firstTradeId: n * 17,
    lastTradeId: n * 17 + 16,
    isClosed: true,
    isComplete: true,
    isPartial: false,
    revision: 1,
    run: start + 1,
    source: 'trades',
  };
}
