import { expect, test } from 'vitest';
import { MarketTape, at } from '../support/market-tape.ts';

test('a candle closes when data comes after its end and grace, not before', () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(1_100, 2, '101');
  tape.ticker(1_499);
  expect(tape.closed('1s')).toEqual([]);
  tape.ticker(1_500);
  expect(tape.closed('1s')).toEqual(['0 100/100/100/100 n=1 r1 P']);
});

test('a wholly silent connection closes nothing, however long', () => {
  const tape = new MarketTape().opened(0).trade(100, 1);
  for (let ms = 200; ms < 60_000; ms += 100) tape.tick(ms);
  expect(tape.closed('1s')).toEqual([]);
});

test('a quiet instrument closes flat while its connection delivers others', () => {
  const instruments = ['binance:BTCUSDT', 'binance:LTCBTC'];
  const tape = new MarketTape().opened(0, instruments).trade(100, 1, '100');
  tape.trade(200, 9, '5', { instrument: 'binance:LTCBTC' });
  for (const ms of [1_600, 2_600, 3_600]) tape.ticker(ms);
  expect(tape.closed('1s', 'binance:LTCBTC')).toEqual([
    '0 5/5/5/5 n=1 r1 P',
    '1 5/5/5/5 n=0 r1',
    '2 5/5/5/5 n=0 r1',
  ]);
  const [, flat] = tape.candles('1s', 'binance:LTCBTC');
  expect(flat).toMatchObject({ volume: 0n, quoteVolume: 0n, firstTradeId: undefined });
});

test('on a silent connection the exchange’s word on the last trade closes candles', () => {
  const tape = new MarketTape().opened(0).trade(100, 1);
  tape.lastTrade(2_700, 100, 1);
  expect(tape.closed('1s')).toEqual(['0 100/100/100/100 n=1 r1 P', '1 100/100/100/100 n=0 r1']);
});

test('candles close by the exchange’s clock, though ours is 1.27 s behind', () => {
  const tape = new MarketTape().opened(0);
  const behind = (ms: number) => ({ receivedTime: at(ms - 1_270) });
  tape.trade(100, 1, '100', behind(100)).trade(1_499, 2, '101', behind(1_499));
  expect(tape.closed('1s')).toEqual([]);
  tape.trade(1_500, 3, '102', behind(1_500));
  expect(tape.closed('1s')).toEqual(['0 100/100/100/100 n=1 r1 P']);
});

test('there is no candle before the first known price', () => {
  const tape = new MarketTape().opened(0);
  for (const ms of [1_000, 2_000, 3_000]) tape.ticker(ms);
  expect(tape.updates.filter(({ type }) => type === 'candle')).toEqual([]);
});

test('only the candle in which observation began is partial', () => {
  const tape = new MarketTape().opened(59_000).trade(59_500, 1).trade(60_500, 2).ticker(121_000);
  expect(tape.closed('1s').slice(0, 2)).toEqual([
    '59 100/100/100/100 n=1 r1 P',
    '60 100/100/100/100 n=1 r1',
  ]);
  expect(tape.closed('1m')).toEqual(['0 100/100/100/100 n=1 r1 P', '60 100/100/100/100 n=1 r1']);
});

test('with the last trade known at the start, candles after it are whole from their open on', () => {
  const tape = new MarketTape()
    .opened(0)
    .lastTrade(100, -30_000, 1, '99')
    .trade(500, 2)
    .ticker(61_000);
  expect(tape.closed('1s').slice(0, 2)).toEqual([
    '0 100/100/100/100 n=1 r1',
    '1 100/100/100/100 n=0 r1',
  ]);
  expect(tape.closed('1m')).toEqual(['0 100/100/100/100 n=1 r1']);
});

test('a quiet instrument has flat candles from the start, at the price of its last trade', () => {
  const tape = new MarketTape().opened(0).lastTrade(100, -3_600_000, 1, '99').ticker(2_600);
  expect(tape.closed('1s')).toEqual(['0 99/99/99/99 n=0 r1', '1 99/99/99/99 n=0 r1']);
});

test('a flat candle before the first trade of a run stands at the last price from before it', () => {
  const tape = new MarketTape().opened(0).lastTrade(100, -3_000, 1, '99');
  tape.trade(1_100, 2, '98').ticker(2_600);
  expect(tape.closed('1s')).toEqual(['0 99/99/99/99 n=0 r1', '1 98/98/98/98 n=1 r1']);
});

test('each longer candle closes with the second that ends it', () => {
  const tape = new MarketTape().opened(0).trade(0, 1).ticker(3_600_499);
  expect(tape.closed('1h')).toHaveLength(0);
  expect(tape.closed('1m')).toHaveLength(59);
  tape.ticker(3_600_500);
  expect(tape.closed('1h')).toEqual(['0 100/100/100/100 n=1 r1 P']);
  const closedTogether = tape.updates
    .slice(-8)
    .flatMap((update) => (update.type === 'candle' ? [update.candle.timeframe] : []));
  expect(closedTogether).toEqual(['1s', '1m', '3m', '5m', '15m', '30m', '1h']);
});

test('open candles go out when they changed, in all timeframes, and not else', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '100').tick(200);
  const open = tape.updates.filter((update) => update.type === 'candle' && !update.candle.isClosed);
  expect(open).toHaveLength(16);
  tape.tick(300);
  expect(tape.updates).toHaveLength(1 + 16);
  tape.trade(350, 2, '103').tick(400);
  expect(tape.candles('1M').at(-1)).toMatchObject({ isClosed: false, revision: 0, tradeCount: 2 });
});

test('an open candle holds the seconds that are still open, too', () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '100').ticker(1_600).trade(1_700, 2, '105');
  const candle = tape.market.openCandle('binance:BTCUSDT', '1m', at(1_800));
  expect(candle).toMatchObject({ tradeCount: 2, isClosed: false });
  expect(tape.market.openCandle('binance:BTCUSDT', '1s', at(2_800))).toMatchObject({
    tradeCount: 0,
  });
});
