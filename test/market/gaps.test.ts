import { expect, test } from 'vitest';
import { MarketTape, at } from '../support/market-tape.ts';

test('a missing id is a gap after 250 ms, announced once, and its candles are not complete', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(900, 4);
  tape.tick(1_149);
  expect(tape.gaps()).toEqual([]);
  tape.tick(1_150).tick(1_250);
  expect(tape.gaps()).toEqual([
    {
      type: 'gap',
      instrument: 'binance:BTCUSDT',
      firstMissingId: 2,
      lastMissingId: 3,
      fromTime: at(100),
      toTime: at(900),
      state: 'open',
    },
  ]);
  tape.ticker(1_600);
  expect(tape.closed('1s')).toEqual(['0 100/100/100/100 n=2 r1 P !']);
});

test('a missing id that comes within 250 ms was never a gap', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(900, 3).lateTrade(500, 1_000, 2);
  tape.tick(2_000).ticker(2_001);
  expect(tape.gaps()).toEqual([]);
  expect(tape.closed('1s')).toEqual(['0 100/100/100/100 n=3 r1 P']);
});

test('when the last missing trade comes the gap is filled, and its candles are complete again', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(2_900, 4).ticker(3_600);
  expect(tape.closed('1s')).toEqual(['0 100/100/100/100 n=1 r1 P !', '2 100/100/100/100 n=1 r1 !']);
  tape.lateTrade(200, 3_700, 2, '101').lateTrade(1_100, 3_800, 3, '102');
  expect(tape.gaps().map(({ state }) => state)).toEqual(['open', 'filled']);
  expect(tape.closed('1s').slice(2)).toEqual([
    '0 100/101/100/101 n=2 r2 P !',
    '1 102/102/102/102 n=1 r1',
    '0 100/101/100/101 n=2 r3 P',
    '2 100/100/100/100 n=1 r2',
  ]);
});

test('no flat candle is invented over a gap', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).lost(200).opened(60_000);
  tape.trade(60_100, 5, '120').ticker(61_600);
  expect(tape.closed('1s')).toEqual([
    '0 100/100/100/100 n=1 r1 P !',
    '60 120/120/120/120 n=1 r1 !',
  ]);
  expect(tape.closed('1m')).toEqual(['0 100/100/100/100 n=1 r1 P !']);
});

test('after a break without a missed trade the quiet time is filled with flat candles', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).lost(200).opened(3_000);
  tape.trade(3_100, 2, '120').ticker(4_600);
  expect(tape.closed('1s')).toEqual([
    '0 100/100/100/100 n=1 r1 P',
    '1 100/100/100/100 n=0 r1',
    '2 100/100/100/100 n=0 r1',
    '3 120/120/120/120 n=1 r1',
  ]);
});

test('after a reconnect nothing closes until it is known what was missed', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).lost(200).opened(3_000);
  for (let ms = 3_100; ms < 30_000; ms += 100) tape.ticker(ms);
  expect(tape.closed('1s')).toEqual([]);
  tape.lastTrade(30_000, 100, 1);
  expect(tape.closed('1s')).toHaveLength(29);
});

test('the exchange’s word on the last trade shows a gap before any trade comes', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).lost(200).opened(3_000);
  tape.lastTrade(3_100, 2_000, 9, '90').tick(3_400);
  expect(tape.gaps()).toMatchObject([{ firstMissingId: 2, lastMissingId: 8, state: 'open' }]);
});

test('the exchange’s word on a lost connection shows what was missed, and closes nothing', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).ticker(1_600).lost(1_700);
  expect(tape.closed('1s')).toEqual(['0 100/100/100/100 n=1 r1 P']);
  tape.lastTrade(9_000, 900, 3, '90').tick(9_300);
  expect(tape.gaps()).toMatchObject([{ firstMissingId: 2, lastMissingId: 2, state: 'open' }]);
  expect(tape.closed('1s').at(-1)).toContain('n=2 r');
  expect(tape.closed('1s').every((candle) => candle.startsWith('0 '))).toBe(true);
});

test('a newer connection that opens before the older one is lost interrupts nothing', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).opened(500, undefined, '2').lost(600, '1');
  tape.ticker(1_600);
  expect(tape.closed('1s')).toEqual(['0 100/100/100/100 n=1 r1 P']);
});

test('the states of an instrument’s feed tell quiet from broken', () => {
  const tape = new MarketTape();
  const state = (ms: number) => tape.market.statuses(at(ms))[0]?.state;
  expect(state(0)).toBeUndefined();
  tape.opened(0);
  expect(state(100)).toBe('stale');
  tape.trade(200, 1);
  expect(state(300)).toBe('live');
  expect(state(11_000)).toBe('stale');
  tape.ticker(70_000);
  expect(state(70_100)).toBe('quiet');
  tape.trade(70_200, 3);
  expect(state(70_300)).toBe('gap');
  tape.lost(70_400);
  expect(state(70_500)).toBe('down');
});

test('an exchange whose trades are ahead of our clock is told as a clock that may be wrong', () => {
  const tape = new MarketTape().opened(0).trade(100, 1);
  tape.trade(120_000, 2, '100', { eventTime: undefined, receivedTime: at(200) });
  expect(tape.market.statuses(at(300))[0]).toMatchObject({
    state: 'stale',
    reason: 'Trades are 120 s ahead of our clock and are left out: is it right?',
  });
});
