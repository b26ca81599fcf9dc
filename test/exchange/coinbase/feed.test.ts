import { expect, test } from 'vitest';
import { coinbase } from '../../../src/exchange/coinbase.ts';
import { eventually } from '../../support/eventually.ts';
import { followExchange } from '../../support/followed-exchange.ts';
import { TwinCoinbase } from '../../support/twin-coinbase.ts';

/** Coinbase followed by a market, live: it has traded for two seconds. */
async function follow() {
  let tape: TwinCoinbase | undefined;
  const setup = await followExchange({
    exchange: coinbase,
    prepare: (twin) => {
      tape = new TwinCoinbase(twin);
    },
  });
  if (tape === undefined) throw new Error('Expected a twin');
  const twinTape = tape;
  await setup.untilState('open');
  let steps = 0;
  const live = (durationMs: number, beforeStep: () => void = () => {}, lie?: number) =>
    setup.pass(durationMs, () => {
      beforeStep();
      if (steps++ % 2 === 0) twinTape.heartbeat(lie);
    });
  const trade = (times = 1) => twinTape.trade(setup.clock.now(), times);
  await live(2000, () => trade());
  const ticker = (sequence: number) => twinTape.ticker(sequence);
  const asked = () => setup.twin.questions.filter((question) => question.includes('/trades'));
  const counted = () => setup.candles('1s').reduce((sum, candle) => sum + candle.tradeCount, 0);
  const incomplete = () => setup.candles('1s').filter(({ isComplete }) => !isComplete);
  return { ...setup, live, trade, ticker, asked, counted, incomplete };
}

test('a trade that is not told is shown by the next one, and asked for by its id', async () => {
  await using setup = await follow();
  const missed = setup.trade(0);
  setup.trade();
  await setup.live(1000);
  await eventually(() => !setup.isBusy());
  await setup.live(2000);
  const gap = { firstMissingId: missed, lastMissingId: missed };
  expect(setup.gaps()).toMatchObject([
    { ...gap, state: 'open' },
    { ...gap, state: 'filled' },
  ]);
  expect(setup.counted()).toBe(missed + 1);
  expect(setup.incomplete()).toEqual([]);
});

test('a trade that is not told and followed by none is shown by the heartbeat', async () => {
  await using setup = await follow();
  const missed = setup.trade(0);
  // The connection delivers: nothing else makes anybody ask.
  let sequence = 0;
  const tick = () => setup.ticker(++sequence);
  await setup.live(3000, tick);
  await eventually(() => !setup.isBusy());
  await setup.live(2000, tick);
  expect(setup.market.lastTrade('coinbase:BTCUSD')).toMatchObject({ id: missed });
  expect(setup.counted()).toBe(missed);
  expect(setup.incomplete()).toEqual([]);
});

test('while nothing trades, heartbeats are the proof: candles close flat, and REST is left alone', async () => {
  await using setup = await follow();
  const before = setup.asked().length;
  await setup.live(60_000);
  expect(setup.asked()).toHaveLength(before);
  const seconds = setup.candles('1s');
  expect(seconds.at(-1)?.closeTime).toBeGreaterThan(setup.clock.now() - 3_000_000);
  expect(seconds.at(-1)).toMatchObject({ tradeCount: 0, volume: 0n, isComplete: true });
});

test('heartbeats that always name trade 0 prove nothing: REST is asked instead', async () => {
  await using setup = await follow();
  const before = setup.asked().length;
  await setup.live(30_000, () => {}, 0);
  expect(setup.asked().length).toBeGreaterThan(before);
  expect(setup.candles('1s').at(-1)?.closeTime).toBeGreaterThan(setup.clock.now() - 5_000_000);
  expect(setup.gaps()).toEqual([]);
});

test('a heartbeat that names a trade that there is not invents no gap, and asks nothing while others come', async () => {
  await using setup = await follow();
  const before = setup.asked().length;
  await setup.live(10_000, () => setup.trade(), 999_999);
  expect(setup.asked()).toHaveLength(before);
  expect(setup.feed.instrumentTroubles().size).toBe(0);
  expect(setup.gaps()).toEqual([]);
  expect(setup.incomplete()).toEqual([]);
});
