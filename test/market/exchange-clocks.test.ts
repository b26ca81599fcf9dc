import { expect, test } from 'vitest';
import { MarketTape, at } from '../support/market-tape.ts';

const near = 'binance:BTCUSDT';
const far = 'exchange1:BTCUSDT';

/** Two exchanges; the clock of the second one is `aheadMs` ahead of ours. */
function twoExchanges(aheadMs: number) {
  const tape = new MarketTape().opened(0, [near], '1').opened(0, [far], '2');
  return {
    tape,
    nearTrade: (ms: number, id: number) => tape.trade(ms, id),
    farTrade: (ms: number, id: number) =>
      tape.trade(ms + aheadMs, id, '100', { instrument: far, receivedTime: at(ms) }),
  };
}

test('a candle closes by its own exchange’s clock, however far another’s is ahead', () => {
  const { tape, nearTrade, farTrade } = twoExchanges(5000);
  nearTrade(100, 1);
  farTrade(100, 1);
  nearTrade(1_400, 2);
  expect(tape.closed('1s', near)).toEqual([]);
  farTrade(1_400, 2);
  expect(tape.closed('1s', far)).toEqual([]);
  nearTrade(1_500, 3);
  farTrade(1_500, 3);
  expect(tape.closed('1s', near)).toEqual(['0 100/100/100/100 n=1 r1 P']);
  expect(tape.closed('1s', far)).toEqual(['5 100/100/100/100 n=1 r1 P']);
});

test('each exchange has an offset of its own, and one that was not heard has none', () => {
  const { tape, nearTrade, farTrade } = twoExchanges(-3000);
  nearTrade(100, 1);
  farTrade(100, 1);
  expect(tape.market.exchangeTime('exchange1', at(10_000))).toBe(at(7_000));
  expect(tape.market.exchangeTime('binance', at(10_000))).toBe(at(10_000));
  expect(tape.market.exchangeTime('kraken', at(10_000))).toBe(at(10_000));
  expect(tape.market.clockOffsets.get('exchange1')).toBe(-3_000_000);
});

test('what another exchange delivers closes nothing', () => {
  const { tape, nearTrade, farTrade } = twoExchanges(0);
  nearTrade(100, 1);
  for (let ms = 200, id = 1; ms < 30_000; ms += 100, id++) farTrade(ms, id);
  expect(tape.closed('1s', near)).toEqual([]);
});

test('the last trade is the last by time, then by id, in whatever order they come', () => {
  const tape = new MarketTape().opened(0).trade(500, 2, '102').lateTrade(300, 600, 3, '103');
  expect(tape.market.lastTrade(near)).toMatchObject({ id: 2 });
  tape.lateTrade(500, 700, 1, '101');
  expect(tape.market.lastTrade(near)).toMatchObject({ id: 2 });
  tape.lateTrade(500, 800, 4, '104');
  expect(tape.market.lastTrade(near)).toMatchObject({ id: 4 });
});
