import { expect, test } from 'vitest';
import { formatDecimal, formatProduct } from '../../src/base/decimal.ts';
import type { Micros } from '../../src/base/clock.ts';
import type { Candle } from '../../src/domain/candle.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { PriceBook } from '../../src/market/price-book.ts';
import type { StoredPrices } from '../../src/market/price-history.ts';
import type { PriceStatistics } from '../../src/market/price-statistics.ts';
import { MarketTape, at } from '../support/market-tape.ts';
import { TwinClock } from '../support/twin-clock.ts';

const bitcoin = 'binance:BTCUSDT';
const second: Micros = 1_000_000;

/** A book on a tape, when its clock shows `ms` after noon. */
function bookOf(tape: MarketTape, ms: number, stored?: StoredPrices): PriceBook {
  return new PriceBook({ market: tape.market, stored, clock: new TwinClock(at(ms)) });
}

/** What memory alone knows. */
function held(book: PriceBook, seconds: number, instruments = [bitcoin]): PriceStatistics {
  const statistics = book.statistics(instruments, seconds * second);
  if (statistics instanceof Promise) throw new Error('Expected memory to hold the window');
  return statistics;
}

/** A store that holds these candles. */
function storeOf(candles: readonly Candle[]): StoredPrices {
  return {
    newest: (instrument, timeframe, { from, to, limit }) =>
      Promise.resolve(
        candles
          .filter((candle) => candle.instrument === instrument && candle.timeframe === timeframe)
          .filter(({ openTime }) => openTime >= from && openTime < to)
          .toSorted((a, b) => b.openTime - a.openTime)
          .slice(0, limit),
      ),
  };
}

/** First/last/highest/lowest, the averages, how many; what is covered, in seconds since noon. */
function inShort(statistics: PriceStatistics): string {
  const { first, last, highest, lowest, average, volumeWeightedAverage } = statistics;
  const prices = [first, last, highest, lowest]
    .map((one) => (one === undefined ? '-' : formatDecimal(one.price)))
    .join('/');
  const averages = [average, volumeWeightedAverage]
    .map((one) => (one === undefined ? '-' : formatDecimal(one)))
    .join('~');
  const { from, to, isComplete, tradeCount } = statistics;
  const span = `${(from - at(0)) / second}–${(to - at(0)) / second}`;
  return `${prices} ${averages} n=${tradeCount} ${span}${isComplete ? '' : ' !'}`;
}

test('a window ends with the running second, and holds the trades of its seconds alone', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '10');
  tape.trade(2_000, 2, '20').trade(3_999, 3, '40').trade(4_000, 4, '30').ticker(4_600);
  const book = bookOf(tape, 4_600);
  expect(inShort(held(book, 1))).toBe('30/30/30/30 30~30 n=1 4–5');
  expect(inShort(held(book, 2))).toBe('40/30/40/30 35~35 n=2 3–5');
  expect(inShort(held(book, 3))).toBe('20/30/40/20 30~30 n=3 2–5');
});

test('a window without trades has no prices, and is complete', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '10');
  for (let ms = 1_500; ms <= 9_500; ms += 1_000) tape.ticker(ms);
  const statistics = held(bookOf(tape, 9_500), 3);
  expect(inShort(statistics)).toBe('-/-/-/- -~- n=0 7–10');
  expect(statistics).toMatchObject({ change: undefined, changePercent: undefined, volume: 0n });
});

test('averages, change and percent are exact to the last of 18 digits, halves to even', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '3').ticker(900);
  tape.trade(1_000, 2, '3', { quantity: '1' }).trade(1_100, 3, '4', { quantity: '2' });
  tape.trade(1_200, 4, '4', { quantity: '0.1' }).ticker(1_300);
  const { average, volumeWeightedAverage, change, changePercent, quoteVolume } = held(
    bookOf(tape, 1_300),
    1,
  );
  expect(formatDecimal(average ?? 0n)).toBe('3.666666666666666667');
  expect(formatDecimal(volumeWeightedAverage ?? 0n)).toBe('3.677419354838709677');
  expect(formatDecimal(change ?? 0n)).toBe('1');
  expect(formatDecimal(changePercent ?? 0n)).toBe('33.333333333333333333');
  expect(formatProduct(quoteVolume ?? 0n)).toBe('11.4');
});

test('a falling price is a negative change', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '4').trade(300, 2, '1').ticker(900);
  const { change, changePercent } = held(bookOf(tape, 900), 1);
  expect([change, changePercent].map((value) => formatDecimal(value ?? 0n))).toEqual(['-3', '-75']);
});

test('over a whole minute it is the 1m candle', () => {
  const tape = new MarketTape().opened(-61_000).trade(-60_900, 1, '99');
  for (let index = 0; index < 100; index++) {
    tape.trade(index * 600, 2 + index, String(100 + ((index * 7) % 13)), { quantity: '0.3' });
  }
  tape.ticker(60_000);
  const statistics = held(bookOf(tape, 59_999), 60);
  tape.ticker(60_600);
  const candle = tape.candles('1m').findLast(({ isClosed }) => isClosed);
  expect(statistics).toMatchObject({
    first: { price: candle?.open },
    last: { price: candle?.close },
    highest: { price: candle?.high },
    lowest: { price: candle?.low },
    volume: candle?.volume,
    quoteVolume: candle?.quoteVolume,
    tradeCount: candle?.tradeCount,
    isComplete: true,
  });
});

test('a late trade changes the windows it falls into, however often they were asked for', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '10').trade(5_000, 2, '10');
  for (let ms = 6_000; ms <= 60_000; ms += 1_000) tape.ticker(ms);
  tape.trade(61_000, 4, '10').ticker(61_600);
  const book = bookOf(tape, 61_600);
  expect(inShort(held(book, 57))).toContain('n=2 5–62 !');
  tape.lateTrade(16_000, 61_700, 3, '50');
  expect(inShort(held(book, 57))).toBe(
    '10/10/50/10 23.333333333333333333~23.333333333333333333 n=3 5–62',
  );
  expect(inShort(held(book, 47))).toBe('50/10/50/10 30~30 n=2 15–62');
});

test('a missing trade makes the windows incomplete in which it may lie', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(5_100, 2).trade(7_100, 4);
  for (let ms = 8_000; ms <= 20_000; ms += 1_000) tape.ticker(ms);
  const book = bookOf(tape, 20_000);
  expect(held(book, 13)).toMatchObject({ isComplete: true, reason: '' });
  expect(held(book, 15)).toMatchObject({
    isComplete: false,
    reason: 'binance: not all is known before 2026-01-01T12:00:07.000Z',
  });
});

test('before the observation nothing is covered, and the answer says from when on', () => {
  const tape = new MarketTape().opened(0).trade(1_100, 1).ticker(3_000);
  const statistics = held(bookOf(tape, 3_000), 60);
  expect(inShort(statistics)).toContain('n=1 1–4 !');
  expect(statistics.reason).toBe('binance: not all is known before 2026-01-01T12:00:01.000Z');
  expect(statistics.window).toEqual({ from: at(-56_000), to: at(4_000) });
});

test('a feed that is gone covers up to where it was heard, and says why', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(4_100, 2).ticker(6_000).lost(6_200);
  const { from, to, isComplete, reason } = held(bookOf(tape, 20_000), 18);
  expect([from, to].map((time) => (time - at(0)) / second)).toEqual([3, 5]);
  expect({ isComplete, reason }).toEqual({ isComplete: false, reason: 'binance: cut' });
});

test('of several exchanges the earliest and the latest are told that any of them covers', () => {
  const coinbase = 'coinbase:BTCUSDT';
  const tape = new MarketTape().opened(0).opened(2_000, [coinbase], '2').trade(1_100, 1, '10');
  tape.trade(3_000, 1, '30', { instrument: coinbase }).ticker(3_400).ticker(3_400, coinbase);
  const book = bookOf(tape, 3_500);
  // The last has nothing at all, and the others are told as if it were not there.
  expect(inShort(held(book, 9, [bitcoin, coinbase, 'kraken:BTCUSDT']))).toContain('n=2 1–4 !');
  const { reason } = held(book, 1, [bitcoin, coinbase, 'kraken:BTCUSDT']);
  expect(reason).toContain('kraken: nothing is known of this time');
  tape.lost(3_600, '2').ticker(6_400);
  const both = held(bookOf(tape, 6_500), 9, [bitcoin, coinbase]);
  expect(inShort(both)).toContain('n=2 1–7 !');
  expect(both.reason).toContain('coinbase: cut');
});

test('a second in which the observation began lacks no trades that are known of', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).ticker(400);
  expect(held(bookOf(tape, 500), 1).reason).toBe('binance: not all of it was observed');
  const missing = new MarketTape().opened(0).trade(100, 1).trade(1_100, 2).trade(1_700, 4);
  missing.ticker(1_900);
  expect(held(bookOf(missing, 1_950), 1).reason).toBe('binance: trades are missing');
});

test('an instrument that was never announced has nothing', () => {
  const statistics = held(bookOf(new MarketTape(), 500), 5);
  expect(statistics).toMatchObject({ tradeCount: 0, isComplete: false });
  expect(statistics.from).toBe(statistics.window.to);
});

test('what memory does not hold is read from the store, the longest candles that fit', async () => {
  const day = new MarketTape().opened(-90_000_000).trade(-89_999_000, 1, '500');
  for (let minute = -1_499; minute < 0; minute++) {
    day.trade(minute * 60_000, 1_501 + minute, String(1_000 - minute));
  }
  day.ticker(1_000);
  const closed = day.candles('1d').concat(day.candles('1h'), day.candles('1m'), day.candles('1s'));
  const asked: string[] = [];
  const store = storeOf(closed.filter(({ isClosed }) => isClosed));
  const stored: StoredPrices = {
    newest: (instrument, timeframe, window) => {
      asked.push(timeframe);
      return store.newest(instrument, timeframe, window);
    },
  };
  // Another life of the server, which has seen nothing of the day before.
  const tape = new MarketTape({}, 8).opened(0).lastTrade(0, -60_000, 1_500, '1001');
  tape.trade(100, 1_501, '2000').ticker(1_200);
  const book = bookOf(tape, 1_300, stored);
  const statistics = await book.statistics([bitcoin], 86_400 * second);
  expect(inShort(statistics)).toMatch(/^2439\/2000\/2439\/1001 .* n=1440 -86398–2$/);
  expect(new Set(asked)).toEqual(new Set(['1h', '1m', '1s']));
});

test('the same question is put to the store once at a time', async () => {
  let asked = 0;
  const stored: StoredPrices = {
    newest: () => {
      asked++;
      return Promise.resolve([]);
    },
  };
  const book = bookOf(new MarketTape(), 500, stored);
  const one = await book.statistics([bitcoin], 7_200 * second);
  const askedByOne = asked;
  const again = Array.from({ length: 64 }, async () => book.statistics([bitcoin], 7_200 * second));
  await Promise.all(again);
  expect(one.tradeCount).toBe(0);
  expect(asked).toBe(2 * askedByOne);
});

test.each<[string, StoredPrices['newest']]>([
  ['fails', () => Promise.reject(new Refusal('unavailable', 'down'))],
  ['does not answer', () => new Promise(() => {})],
])('a store that %s leaves what memory holds, and the answer says so', async (_name, newest) => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(1_100, 2, '30').ticker(2_000);
  const clock = new TwinClock(at(2_000));
  const outages: string[] = [];
  const onStoreOutage = ({ message }: Refusal) => void outages.push(message);
  const book = new PriceBook({ market: tape.market, stored: { newest }, clock, onStoreOutage });
  const asked = book.statistics([bitcoin], 60 * second);
  await clock.advance(2_000);
  const statistics = await asked;
  expect(inShort(statistics)).toContain('n=2 0–3 !');
  expect(statistics.reason).toBe('binance: the stored candles cannot be read now');
  expect(outages).toHaveLength(1);
});

test('what goes wrong in our own code is no outage of the store', async () => {
  const newest = () => Promise.reject(new TypeError('a is not a function'));
  const tape = new MarketTape().opened(0).trade(100, 1);
  const asked = bookOf(tape, 500, { newest }).statistics([bitcoin], 60 * second);
  await expect(asked).rejects.toThrow('a is not a function');
});

test('the latest price over exchanges is that of the latest trade', () => {
  const instruments = ['binance:BTCUSDT', 'coinbase:BTCUSDT'];
  const tape = new MarketTape().opened(0, instruments);
  tape.trade(300, 1, '10').trade(200, 9, '20', { instrument: 'coinbase:BTCUSDT' });
  const book = bookOf(tape, 500);
  expect(book.latestTrade(instruments)?.instrument).toBe('binance:BTCUSDT');
  tape.trade(300, 10, '30', { instrument: 'coinbase:BTCUSDT' });
  expect(book.latestTrade(instruments)?.instrument).toBe('coinbase:BTCUSDT');
  expect(book.latestTrade(['kraken:BTCUSDT'])).toBeUndefined();
});
