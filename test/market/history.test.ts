import { expect, test } from 'vitest';
import { parseDecimal, parseProduct } from '../../src/base/decimal.ts';
import type { Kline } from '../../src/domain/kline.ts';
import { closeTimeOf } from '../../src/domain/timeframe.ts';
import type { Timeframe } from '../../src/domain/timeframe.ts';
import { aTrade } from '../support/builders.ts';
import { MarketTape, at, inShort } from '../support/market-tape.ts';

const instrument = 'binance:BTCUSDT';

/** A kline that opens at `ms`, of so many trades of quantity 1 at its price. */
function aKline(timeframe: Timeframe, ms: number, price: string, tradeCount = 1): Kline {
  const value = parseDecimal(price);
  const volume = BigInt(tradeCount) * 10n ** 18n;
  return {
    openTime: at(ms),
    closeTime: closeTimeOf(timeframe, at(ms)),
    open: value,
    high: value,
    low: value,
    close: value,
    volume,
    quoteVolume: value * volume,
    takerBuyVolume: 0n,
    takerBuyQuoteVolume: parseProduct('0'),
    tradeCount,
  };
}

function recover(
  tape: MarketTape,
  ms: number,
  trades: readonly (readonly [ms: number, id: number, price: string])[],
  wholeFromMs?: number,
) {
  tape.market.handle({
    type: 'recoveredTrades',
    instrument,
    trades: trades.map(([ms, id, price]) => aTrade({ id, price, exchangeTime: at(ms) })),
    wholeFrom: wholeFromMs === undefined ? undefined : at(wholeFromMs),
    receivedTime: at(ms),
  });
}

const klines = (tape: MarketTape, timeframe: Timeframe, candles: readonly Kline[]) =>
  tape.market.handle({ type: 'knownCandles', instrument, timeframe, candles, isStored: false });

test('recovered trades fill a gap, and each candle is published once for all of them', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(3_100, 6).ticker(4_600);
  const before = tape.closed('1s').length;
  recover(tape, 4_700, [
    [200, 2, '101'],
    [300, 3, '102'],
    [1_100, 4, '103'],
    [1_200, 5, '104'],
  ]);
  expect(tape.gaps().map(({ state }) => state)).toEqual(['open', 'filled']);
  expect(tape.closed('1s').slice(before)).toEqual([
    '0 100/102/100/102 n=3 r2 P',
    '1 103/104/103/104 n=2 r1',
    '2 104/104/104/104 n=0 r1',
    '3 100/100/100/100 n=1 r2',
  ]);
});

test('recovered trades are no evidence: nothing closes by them', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(900, 3);
  recover(tape, 60_000, [[500, 2, '101']]);
  expect(tape.closed('1s')).toEqual([]);
});

test('trades that the exchange has not got are absent once, and their candles stay incomplete', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(900, 6).ticker(1_600);
  recover(tape, 1_700, [[200, 2, '101']]);
  const absent = { type: 'absentTrades', instrument, firstId: 3, lastId: 5 } as const;
  tape.market.handle(absent);
  tape.market.handle(absent);
  expect(
    tape
      .gaps()
      .map(({ firstMissingId, lastMissingId, state }) => [firstMissingId, lastMissingId, state]),
  ).toEqual([
    [2, 5, 'open'],
    [3, 5, 'absent'],
  ]);
  expect(tape.closed('1s').at(-1)).toBe('0 100/101/100/100 n=3 r2 P !');
  expect(tape.market.statuses(at(1_800))[0]).toMatchObject({ tradesMissing: 0, state: 'live' });
});

test('with all trades since the minute’s begin known, the minute is whole', () => {
  const tape = new MarketTape().opened(20_000).trade(20_500, 9, '90').ticker(21_600);
  expect(tape.closed('1s')).toEqual(['20 90/90/90/90 n=1 r1 P']);
  recover(
    tape,
    21_700,
    [
      [5_000, 7, '70'],
      [15_000, 8, '80'],
    ],
    0,
  );
  tape.ticker(60_500);
  expect(tape.closed('1m')).toEqual(['0 70/90/70/90 n=3 r1']);
  const seconds = tape.closed('1s');
  expect(seconds).toContain('5 70/70/70/70 n=1 r1');
  expect(seconds).toContain('6 70/70/70/70 n=0 r1');
  expect(seconds).toContain('20 90/90/90/90 n=1 r2');
});

test('the told last trade is counted when it is recovered, and only once', () => {
  const tape = new MarketTape().opened(20_000).lastTrade(20_100, 15_000, 8, '80');
  recover(
    tape,
    20_200,
    [
      [5_000, 7, '70'],
      [15_000, 8, '80'],
    ],
    0,
  );
  tape.trade(20_500, 9, '90').ticker(60_500);
  expect(tape.closed('1m')).toEqual(['0 70/90/70/90 n=3 r1']);
});

test('seconds before the first recovered trade stand at the price before them, not at a later one', () => {
  const tape = new MarketTape().opened(20_000).lastTrade(20_100, 15_000, 8, '80');
  recover(tape, 20_200, [[15_000, 8, '80']], 0);
  klines(tape, '1m', [aKline('1m', -60_000, '70')]);
  tape.market.handle({
    type: 'historyRead',
    instrument,
    from: at(-60_000),
    settledBefore: at(0),
    settledBelowId: 8,
  });
  expect(tape.closed('1s')).toContain('0 70/70/70/70 n=0 r1');
  expect(tape.closed('1s').filter((line) => line.startsWith('14 '))).toEqual([
    '14 70/70/70/70 n=0 r1',
  ]);
});

test('an hour that began before the start is put together from klines and trades', () => {
  // The server starts 2 minutes 20 seconds into the hour.
  const tape = new MarketTape().opened(140_000).trade(140_500, 9, '90').ticker(141_600);
  recover(tape, 141_700, [[125_000, 8, '80']], 120_000);
  klines(tape, '1m', [aKline('1m', 0, '50', 3), aKline('1m', 60_000, '60', 4)]);
  tape.market.handle({
    type: 'historyRead',
    instrument,
    from: at(0),
    settledBefore: at(0),
    settledBelowId: 8,
  });
  tape.ticker(3_600_500);
  const [hour] = tape.candles('1h').filter(({ isClosed }) => isClosed);
  expect(hour && inShort(hour)).toBe('0 50/90/50/90 n=9 r1');
  expect(hour).toMatchObject({
    source: 'klines',
    volume: 9n * 10n ** 18n,
    firstTradeId: undefined,
  });
  // The day began where nothing is known of.
  expect(tape.market.openCandle(instrument, '1d', at(3_600_500))?.isPartial).toBe(true);
});

test('a kline replaces a candle that lacks trades, and not one that is whole', () => {
  const tape = new MarketTape()
    .opened(0)
    .trade(100, 1)
    .trade(60_100, 2)
    .trade(61_000, 5)
    .ticker(120_500);
  const before = tape.closed('1m').length;
  klines(tape, '1m', [aKline('1m', 0, '100', 1), aKline('1m', 60_000, '100', 4)]);
  expect(tape.closed('1m').slice(before)).toEqual([
    '0 100/100/100/100 n=1 r2',
    '60 100/100/100/100 n=4 r2',
  ]);
  klines(tape, '1m', [aKline('1m', 0, '100', 1), aKline('1m', 60_000, '100', 4)]);
  expect(tape.closed('1m')).toHaveLength(before + 2);
});

test('klines that end a gap for good say that it is filled', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(60_100, 9).ticker(120_500);
  klines(tape, '1m', [aKline('1m', 0, '100', 5)]);
  tape.market.handle({
    type: 'historyRead',
    instrument,
    from: at(0),
    settledBefore: at(0),
    settledBelowId: 9,
  });
  expect(tape.gaps().map(({ state }) => state)).toEqual(['open', 'filled']);
  expect(tape.closed('1m').at(-1)).toBe('60 100/100/100/100 n=1 r2');
});

test('what is older than what is held is published for the store, and not held', () => {
  const tape = new MarketTape({ retentionMs: 600_000 }).opened(0).trade(100, 1).ticker(700_500);
  klines(tape, '1m', [aKline('1m', -3_600_000, '7')]);
  expect(tape.closed('1m').at(-1)).toBe('-3600 7/7/7/7 n=1 r1');
  expect(tape.market.closedCandle(instrument, '1m', at(-3_600_000))).toBeUndefined();
});

test('a stored candle is held and not published', () => {
  const other = new MarketTape({}, 3).opened(-60_000).trade(-60_000, 1, '50').ticker(500);
  const [stored] = other.candles('1m').filter(({ isClosed }) => isClosed);
  const tape = new MarketTape().opened(0).lastTrade(100, -30_000, 2, '51');
  const candles = stored === undefined ? [] : [{ ...stored, isPartial: false }];
  tape.market.handle({
    type: 'knownCandles',
    instrument,
    timeframe: '1m',
    candles,
    isStored: true,
    isAll: false,
  });
  expect(tape.closed('1m')).toEqual([]);
  expect(tape.market.closedCandle(instrument, '1m', at(-60_000))).toMatchObject({ run: 3 });
});

test('a trade that a kline holds is not counted again when it comes after all', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(1_000, 4).ticker(60_500);
  klines(tape, '1m', [aKline('1m', 0, '100', 4)]);
  recover(tape, 60_600, [
    [200, 2, '100'],
    [300, 3, '100'],
  ]);
  expect(tape.closed('1m').at(-1)).toBe('0 100/100/100/100 n=4 r2');
  // The seconds came from nowhere else.
  expect(tape.closed('1s').at(-1)).toMatch(/^. .* n=1 /u);
  expect(tape.closed('1s')).toContain('0 100/100/100/100 n=3 r2 P');
});

test('a hole that ends before the trades that are all known is settled by the klines', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(1_000, 4).ticker(60_500);
  klines(tape, '1m', [aKline('1m', 0, '100', 4)]);
  const known = { settledBefore: at(60_000), settledBelowId: undefined };
  tape.market.handle({ type: 'historyRead', instrument, from: at(0), ...known });
  expect(tape.gaps().at(-1)).toMatchObject({ state: 'filled' });
  expect(tape.market.statuses(at(60_600))[0]).toMatchObject({ tradesMissing: 0 });
});

test('a kline that changes a close moves the flat candles after it, and no further', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '13').trade(1_000, 3, '13').ticker(180_500);
  tape.trade(180_600, 4, '20').ticker(240_500);
  const before = tape.closed('1m').length;
  klines(tape, '1m', [aKline('1m', 0, '99', 5)]);
  expect(tape.closed('1m').slice(before)).toEqual([
    '0 99/99/99/99 n=5 r2',
    '60 99/99/99/99 n=0 r2',
    '120 99/99/99/99 n=0 r2',
  ]);
});

test('a kline of fewer trades than were seen changes nothing', () => {
  const tape = new MarketTape().opened(0);
  for (let id = 1; id <= 8; id++) tape.trade(id * 100, id === 8 ? 9 : id);
  tape.ticker(60_500);
  const { length } = tape.updates;
  klines(tape, '1m', [aKline('1m', 0, '100', 3)]);
  expect(tape.updates).toHaveLength(length);
});

test('a flat candle at another price than the exchange’s is mended', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '13').ticker(120_500);
  klines(tape, '1m', [aKline('1m', 60_000, '14', 0)]);
  expect(tape.closed('1m').at(-1)).toBe('60 14/14/14/14 n=0 r2');
});
