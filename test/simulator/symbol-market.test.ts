import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SymbolMarket } from '../../src/simulator/symbol-market.ts';
import { knownSymbols, profileOf } from '../../src/simulator/symbol-profile.ts';
import { epoch } from '../../src/simulator/symbol-time.ts';
import { noon } from './a-simulator.ts';

const aMarket = (symbol: string, seed = 'test') => new SymbolMarket(seed, profileOf(symbol));

const ask = (market: SymbolMarket, time: number) => [
  market.trade(market.tradesSentBy(time) - 1),
  market.quote(market.quotesBy(time) - 1),
  market.sum(market.tradesBefore(time - 60_000_000), market.tradesBefore(time)),
];

const anySymbol = fc.constantFrom(...knownSymbols, 'XYZUSDT', '这是测试币456');

test('any moment has the same trade and quote, whatever was asked before', () => {
  const anyTime = fc.integer({ min: epoch + 3_600_000_000, max: noon });
  fc.assert(
    fc.property(anySymbol, fc.array(anyTime, { minLength: 2, maxLength: 20 }), (symbol, times) => {
      const market = aMarket(symbol);
      const answers = times.map((time) => ask(market, time));
      for (const [index, time] of times.entries()) {
        expect(ask(aMarket(symbol), time)).toEqual(answers[index]);
      }
    }),
    { numRuns: 30 },
  );
});

test('another seed or another symbol is another market', () => {
  const price = aMarket('BTCUSDT').trade(1_000_000).price;
  expect(aMarket('BTCUSDT', 'other').trade(1_000_000).price).not.toBe(price);
  expect(aMarket('ETHUSDT').trade(1_000_000).price).not.toBe(price);
});

describe.each([...knownSymbols, '这是测试币456'])('%s', (symbol) => {
  const market = aMarket(symbol);
  const { activeMinutes, tradesPerMinute } = market.profile;

  test('ids and times go up together, without a hole, and time finds the id', () => {
    const first = market.tradesBefore(noon - 3 * 3_600_000_000);
    let previous = market.trade(first - 1);
    for (let id = first; id < first + 3 * activeMinutes * tradesPerMinute; id++) {
      const trade = market.trade(id);
      const isWellPlaced =
        trade.id === id &&
        trade.time >= previous.time &&
        trade.sentTime >= previous.sentTime &&
        trade.sentTime >= trade.time &&
        trade.sentTime - trade.time < 100_000 &&
        trade.firstTradeId === previous.lastTradeId + 1 &&
        trade.lastTradeId >= trade.firstTradeId &&
        trade.lots > trade.lastTradeId - trade.firstTradeId &&
        trade.price > 0;
      if (!isWellPlaced) expect.fail(JSON.stringify([previous, trade]));
      if (id % 97 === 0) {
        expect(market.tradesBefore(trade.time)).toBeLessThanOrEqual(id);
        expect(market.tradesBefore(trade.time + 1)).toBeGreaterThan(id);
        expect(market.tradesSentBy(trade.sentTime - 1)).toBeLessThanOrEqual(id);
        expect(market.tradesSentBy(trade.sentTime)).toBeGreaterThan(id);
      }
      previous = trade;
    }
  });

  test('update ids rise by one, the ask stands above the bid', () => {
    const first = market.quotesBy(noon);
    let previous = market.quote(first - 1);
    for (let number = first; number < first + 3000; number++) {
      const quote = market.quote(number);
      expect(quote.updateId).toBe(previous.updateId + 1);
      expect(quote.time).toBeGreaterThanOrEqual(previous.time);
      expect(quote.askPrice).toBeGreaterThan(quote.bidPrice);
      previous = quote;
    }
  });

  test('takers meet the best price shown or a worse one', () => {
    const first = market.tradesBefore(noon);
    for (let id = first; id < first + 1000; id++) {
      const { time, isTakerSell, price } = market.trade(id);
      const quote = market.quote(market.quotesBy(time) - 1);
      if (isTakerSell) expect(price).toBeLessThanOrEqual(quote.bidPrice);
      else expect(price).toBeGreaterThanOrEqual(quote.askPrice);
    }
  });
});

const around = (place: number) => fc.integer({ min: place - 2000, max: place + 2000 });

test('the sum of any run of trades is that of its trades, one by one', () => {
  const market = aMarket('BTCUSDT');
  const day = 960 * 60 * 24;
  const cases = fc.oneof(
    fc.tuple(around(400 * day), around(400 * day + 5000)),
    fc.tuple(around(400 * day), around(401 * day)),
  );
  fc.assert(
    fc.property(cases, ([a, b]) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      let [high, low, lots, tickLots] = [-Infinity, Infinity, 0n, 0n];
      let [boughtLots, boughtTickLots] = [0n, 0n];
      for (let id = from; id < to; id++) {
        const trade = market.trade(id);
        high = Math.max(high, trade.price);
        low = Math.min(low, trade.price);
        lots += BigInt(trade.lots);
        tickLots += BigInt(trade.lots) * BigInt(trade.price);
        if (trade.isTakerSell) continue;
        boughtLots += BigInt(trade.lots);
        boughtTickLots += BigInt(trade.lots) * BigInt(trade.price);
      }
      const expected = { high, low, lots, tickLots, boughtLots, boughtTickLots };
      expect(market.sum(from, to)).toEqual(expected);
    }),
    { numRuns: 12 },
  );
});

test('trades come in bursts, and even a busy symbol has quiet seconds', () => {
  const market = aMarket('BTCUSDT');
  const perSecond = Array.from({ length: 600 }, (_, second) => {
    const from = noon - (noon % 1_000_000) + second * 1_000_000;
    return market.tradesBefore(from + 1_000_000) - market.tradesBefore(from);
  });
  expect(Math.min(...perSecond)).toBe(0);
  expect(Math.max(...perSecond)).toBeGreaterThan(40);
  const first = market.tradesBefore(noon);
  const millis = Array.from({ length: 2000 }, (_, index) =>
    Math.floor(market.trade(first + index).time / 1000),
  );
  expect(new Set(millis).size).toBeLessThan(1400);
});

test('some trades are matched on the first and on the last microsecond of a second', () => {
  const market = aMarket('ETHUSDT');
  const first = market.tradesBefore(noon);
  const within = Array.from({ length: 5000 }, (_, index) => market.trade(first + index).time % 1e6);
  expect(within).toContain(0);
  expect(within).toContain(999_999);
});

test('a mostly quiet symbol has whole minutes without a trade', () => {
  const market = aMarket('LTCBTC');
  const minutes = Array.from({ length: 120 }, (_, minute) => {
    const from = noon - (noon % 60_000_000) + minute * 60_000_000;
    return market.tradesBefore(from + 60_000_000) - market.tradesBefore(from);
  });
  expect(minutes).toContain(0);
  expect(minutes.filter((count) => count > 0).length).toBeGreaterThan(60);
});

test("LTCBTC's best bid shows 50 to 200 and the best prices change at least twice a second", () => {
  const market = aMarket('LTCBTC');
  for (let second = 0; second < 300; second++) {
    const from = market.quotesBy(noon + second * 1_000_000);
    const to = market.quotesBy(noon + (second + 1) * 1_000_000);
    const shown = Array.from({ length: to - from }, (_, index) => market.quote(from + index));
    const texts = shown.map(({ bidPrice, bidLots, askPrice, askLots }) =>
      [bidPrice, bidLots, askPrice, askLots].join(' '),
    );
    expect(new Set(texts).size).toBeGreaterThanOrEqual(2);
    for (const { bidLots, bidPrice } of shown) {
      expect(bidLots).toBeGreaterThanOrEqual(50_000);
      expect(bidLots).toBeLessThanOrEqual(200_000);
      expect(bidPrice).toBeGreaterThan(100);
    }
  }
});

test("BNBUSDT's update ids stay below the worked example's, which people inject", () => {
  expect(aMarket('BNBUSDT').quotesBy(Date.UTC(2029, 0, 1) * 1000)).toBeLessThan(400_900_217);
});

test('nothing is there before the epoch', () => {
  const market = aMarket('BTCUSDT');
  expect(market.tradesBefore(epoch - 1)).toBe(0);
  expect(market.tradesSentBy(0)).toBe(0);
  expect(market.quotesBy(epoch - 1)).toBe(0);
  expect(market.trade(0).firstTradeId).toBe(0);
});
