import { expect, test } from 'vitest';
import { MarketTape, at } from '../support/market-tape.ts';

test('a late trade revises its candles, and nothing else moves but the flat ones after it', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '100').trade(5_100, 3, '90').ticker(6_600);
  const before = tape.closed('1s');
  expect(before).toEqual(['0 100/100/100/100 n=1 r1 P !', '5 90/90/90/90 n=1 r1 !']);
  tape.lateTrade(1_200, 6_700, 2, '120');
  expect(tape.closed('1s').slice(before.length)).toEqual([
    '1 120/120/120/120 n=1 r1',
    '0 100/100/100/100 n=1 r2 P',
    '2 120/120/120/120 n=0 r1',
    '3 120/120/120/120 n=0 r1',
    '4 120/120/120/120 n=0 r1',
    '5 90/90/90/90 n=1 r2',
  ]);
});

test('flat candles take on the close of a late trade, up to the next trade', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '100').ticker(3_600).trade(3_700, 3, '90');
  const before = tape.closed('1s').length;
  tape.lateTrade(900, 3_800, 2, '110').ticker(4_600);
  expect(tape.closed('1s').slice(before)).toEqual([
    '0 100/110/100/110 n=2 r2 P',
    '1 110/110/110/110 n=0 r2',
    '2 110/110/110/110 n=0 r2',
    '3 90/90/90/90 n=1 r1',
  ]);
});

test('a late trade that is not the close leaves the flat candles after it alone', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '100').trade(800, 3, '90').ticker(3_600);
  const before = tape.closed('1s').length;
  tape.lateTrade(500, 3_650, 2, '110');
  expect(tape.closed('1s').slice(before)).toEqual(['0 100/110/90/90 n=3 r2 P']);
});

test('a late trade changes the open longer candles once, without a revision', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '100').trade(2_000, 3, '90').ticker(3_600);
  tape.lateTrade(500, 3_700, 2, '110').tick(3_800);
  expect(tape.candles('1m').at(-1)).toMatchObject({ isClosed: false, tradeCount: 3, revision: 0 });
});

test('trades of one millisecond are ordered by id, as they were seen to arrive at Binance', () => {
  const tape = new MarketTape().opened(0).trade(0, 139, '1');
  for (const id of [140, 145, 147, 143, 142, 141, 146, 144, 148]) tape.trade(500, id, `${id}`);
  tape.ticker(1_600);
  expect(tape.closed('1s')).toEqual(['0 1/148/1/148 n=10 r1 P']);
  expect(tape.gaps()).toEqual([]);
});

test('a duplicate counts once, also when it comes after its candle has closed', () => {
  const tape = new MarketTape()
    .opened(0)
    .trade(100, 1)
    .trade(100, 1)
    .ticker(1_600)
    .lateTrade(100, 1_700, 1);
  expect(tape.closed('1s')).toEqual(['0 100/100/100/100 n=1 r1 P']);
  expect(tape.market.counters).toMatchObject({ trades: 1, duplicateTrades: 2 });
});

test.each([
  ['a day ahead', 86_400_000],
  ['in the year 54000', 1.6e15],
  ['before 1970', -1.8e12],
])('a trade with a time %s opens no candle', (_name, ms) => {
  const tape = new MarketTape().opened(0).trade(100, 1);
  tape.trade(ms, 2, '1', { eventTime: undefined, receivedTime: at(200) }).ticker(1_600);
  expect(tape.closed('1s')).toEqual(['0 100/100/100/100 n=1 r1 P']);
});

test('an event time that cannot be does not move the exchange’s clock', () => {
  const tape = new MarketTape().opened(0).trade(100, 1);
  tape.trade(200, 2, '100', { eventTime: 1.9e15, receivedTime: at(200) });
  expect(tape.closed('1s')).toEqual([]);
  expect(tape.market.clockOffsets.get('binance')).toBe(0);
});

test('a clock that jumps by a year is not a year of candles', () => {
  const year = 365 * 86_400_000;
  const tape = new MarketTape({ retentionMs: 60_000 })
    .opened(0)
    .trade(100, 1)
    .ticker(year + 500);
  expect(tape.closed('1s')).toHaveLength(1 + 60);
  expect(tape.closed('1s').slice(0, 2)).toEqual([
    '0 100/100/100/100 n=1 r1 P',
    `${year / 1000 - 60} 100/100/100/100 n=0 r1`,
  ]);
  expect(tape.candles('1h')[0]).toMatchObject({ tradeCount: 1, isComplete: true, isClosed: true });
});

test('a trade of more than a week ago changes nothing', () => {
  const tape = new MarketTape().opened(0).trade(100, 5).ticker(1_600);
  const { length } = tape.updates;
  tape.lateTrade(-8 * 86_400_000, 1_700, 4, '7');
  expect(tape.updates.slice(length).filter(({ type }) => type === 'candle')).toEqual([]);
});
