import { expect, test } from 'vitest';
import { formatDecimal } from '../../../src/base/decimal.ts';
import { kraken } from '../../../src/exchange/kraken.ts';
import { eventually } from '../../support/eventually.ts';
import { followExchange } from '../../support/followed-exchange.ts';
import { TwinKraken } from '../../support/twin-kraken.ts';

/** Kraken followed by a market, live: it has traded for two seconds. */
async function follow() {
  let tape: TwinKraken | undefined;
  const setup = await followExchange({
    exchange: kraken,
    prepare: (twin) => {
      tape = new TwinKraken(twin);
    },
  });
  if (tape === undefined) throw new Error('Expected a twin');
  const twinTape = tape;
  await setup.untilState('open');
  let steps = 0;
  const live = (durationMs: number, beforeStep: () => void = () => {}) =>
    setup.pass(durationMs, () => {
      if (steps++ % 2 === 0) twinTape.heartbeat();
      beforeStep();
    });
  const trade = (times = 1, parts: Parameters<TwinKraken['trade']>[2] = {}) =>
    twinTape.trade(setup.clock.now(), times, parts);
  await live(2000, () => trade());
  const counted = () => setup.candles('1s').reduce((sum, candle) => sum + candle.tradeCount, 0);
  const incomplete = () => setup.candles('1s').filter(({ isComplete }) => !isComplete);
  return { ...setup, tape: twinTape, live, trade, counted, incomplete };
}

test.each([
  // Beside each what a float makes of it.
  ['9007199254740.993', 9007199254740.992],
  ['0.100000000000000005', 0.1],
  ['123456789012345.678901', 123456789012345.67],
])(
  'a Kraken price that a float would change, %s, is unchanged in the trade and the candle',
  async (price, changed) => {
    expect(String(changed)).not.toBe(price);
    await using setup = await follow();
    setup.trade(1, { price, quantity: '1e-7' });
    await setup.live(1000);
    const trade = setup.market.lastTrade('kraken:BTCUSD');
    expect(formatDecimal(trade?.price ?? 0n)).toBe(price);
    await setup.live(3000, () => setup.trade());
    const candle = setup.candles('1s').find(({ high, low }) => {
      return [high, low].map(formatDecimal).includes(price);
    });
    expect(formatDecimal(candle?.volume ?? 0n)).toMatch(/\.0000001$/u);
  },
);

test('ids that are left out raise no alarm, and candles are complete', async () => {
  await using setup = await follow();
  await setup.live(10_000, () => {
    setup.tape.skipId();
    setup.trade();
  });
  expect(setup.gaps()).toEqual([]);
  expect(setup.candles('1s').length).toBeGreaterThan(9);
  expect(setup.incomplete()).toEqual([]);
});

test('trades that the WebSocket leaves out are in the candles when REST has been asked again', async () => {
  await using setup = await follow();
  let last = 0;
  let step = 0;
  // Every sixth: the 17 % that somebody has found.
  await setup.live(50_000, () => {
    last = setup.trade(step++ % 6 === 0 ? 0 : 1);
  });
  expect(setup.gaps()).toEqual([]);
  expect(setup.counted()).toBeLessThan(last - 10);
  await setup.live(15_000, () => {
    last = setup.trade();
  });
  await eventually(() => !setup.isBusy());
  await setup.live(3000);
  expect(setup.counted()).toBe(last);
  expect(setup.incomplete()).toEqual([]);
  expect(setup.gaps()).toEqual([]);
});

test('a lost connection is a gap until REST has told the time, also where ids are left out', async () => {
  await using setup = await follow();
  const { twin, tape, untilState, clock } = setup;
  twin.cut();
  await untilState('waiting');
  setup.trade();
  tape.skipId();
  setup.trade();
  await clock.advance(1000);
  await untilState('open');
  await setup.live(3000, () => setup.trade());
  await eventually(() => !setup.isBusy());
  await setup.live(3000);
  const states = setup.gaps().map(({ state }) => state);
  expect(states).toEqual(['open', 'filled']);
  expect(setup.incomplete()).toEqual([]);
  expect(setup.market.statuses(clock.now())[0]).toMatchObject({ tradesMissing: 0 });
});
