import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { closeTimeOf, timeframes } from '../../../src/domain/timeframe.ts';
import { binance } from '../../../src/exchange/binance.ts';
import { openFeed } from '../../../src/exchange/feed.ts';
import { klineAt } from '../../../src/simulator/kline.ts';
import { openSymbol } from '../../../src/simulator/simulated-symbol.ts';
import { readSimulatorConfig } from '../../../src/simulator/config.ts';
import { startSimulator } from '../../../src/simulator/start-simulator.ts';

const seed = 'history';
const { signal } = new AbortController();
let history: Awaited<ReturnType<typeof openRest>>;
beforeAll(async () => {
  history = await openRest();
});
afterAll(() => history[Symbol.asyncDispose]());

/** The REST side of a feed on a simulator: the feed itself follows nothing. */
async function openRest() {
  const stack = new AsyncDisposableStack();
  const surroundings = { clock: systemClock, logger: silentLogger };
  const config = { ...readSimulatorConfig({ SIMULATOR_PORT: '0' }, {}), seed };
  const { url } = stack.use(await startSimulator(config, surroundings));
  const feed = stack.use(
    openFeed({
      exchange: binance,
      exchangeName: 'sim-binance',
      symbols: [],
      handle: () => {},
      random: () => 0,
      settings: { webSocketBaseUrl: url.replace('http', 'ws'), restBaseUrl: url },
      ...surroundings,
    }),
  );
  return { rest: feed.rest, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('trades are told by id and by time, without a break', async () => {
  const { rest } = history;
  const to = systemClock.now() - 60_000_000;
  const span = { fromTime: to - 600_000_000, toTime: to };
  const byTime = await rest.trades('BTCUSDT', span, signal);
  expect(byTime.length).toBe(rest.tradesPerAnswer);
  const ids = byTime.map(({ id }) => id);
  expect(ids).toEqual(ids.map((_, index) => (ids[0] ?? 0) + index));
  const byId = await rest.trades('BTCUSDT', { fromId: (ids[0] ?? 0) + 10 }, signal);
  const { receivedTime: _, ...eleventh } = byTime[10] ?? { receivedTime: 0 };
  expect(byId[0]).toMatchObject({ ...eleventh, instrument: 'sim-binance:BTCUSDT' });
});

test.each([...timeframes])(
  '%s klines are those of the exchange, page after page',
  async (timeframe) => {
    const to = systemClock.now() - 5_000_000;
    // More than a page of seconds, and some fifteen of the others; of the longest what there is.
    const length = closeTimeOf(timeframe, 0);
    const from = Math.max(
      Date.UTC(2025, 0, 1) * 1000,
      to - length * (timeframe === '1s' ? 1500 : 15),
    );
    const { rest } = history;
    const klines = await rest.klines('LTCBTC', timeframe, { from, to }, signal);
    expect(klines.length).toBeGreaterThan(timeframe === '1s' ? 1400 : 13);
    const { tape } = openSymbol(seed, 'LTCBTC');
    for (const kline of klines.filter(({ closeTime }) => closeTime < to)) {
      const {
        firstTradeId: _,
        lastTradeId: _b,
        ...own
      } = klineAt(tape, timeframe, kline.openTime, to) ?? {
        firstTradeId: 0,
        lastTradeId: 0,
      };
      expect(kline).toEqual(own);
    }
  },
);
