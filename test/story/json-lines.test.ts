import { expect, onTestFinished, test } from 'vitest';
import { formatDecimal } from '../../src/base/decimal.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Feed } from '../../src/exchange/feed.ts';
import { openTcpFeed } from '../../src/exchange/json-lines/tcp-feed.ts';
import { Market } from '../../src/market/market.ts';
import { PriceBook } from '../../src/market/price-book.ts';
import type { MarketUpdate } from '../../src/market/market-update.ts';
import type { SimulatorConfig } from '../../src/simulator/config.ts';
import { aSimulator } from '../simulator/a-simulator.ts';
import { eventually } from '../support/eventually.ts';

// The simulated exchanges of JSON lines, followed by feeds that know nothing of them but their ports.

const exchanges = ['sim-exchange1', 'sim-exchange2', 'sim-exchange3'];

async function aFollowedSimulator(config: Partial<SimulatorConfig> = {}) {
  const twin = await aSimulator(config);
  const { clock, simulator } = twin;
  const updates: MarketUpdate[] = [];
  const market = new Market({ run: 1, publish: (update) => updates.push(update) });
  const feeds = exchanges.map((exchangeName, index): Feed => {
    const port = simulator.exchangePorts[index] ?? 0;
    const feed = openTcpFeed({
      exchangeName,
      address: { host: '127.0.0.1', port },
      symbols: ['BTCUSDT', 'ETHUSDT'],
      handle: (event) => market.handle(event),
      clock,
      logger: silentLogger,
      random: Math.random,
    });
    onTestFinished(() => feed[Symbol.asyncDispose]());
    return feed;
  });
  await eventually(async () => {
    const { body } = await twin.get<{ exchanges: Record<string, { connections: number }> }>(
      '/control',
    );
    return Object.values(body.exchanges).every(({ connections }) => connections === 1);
  });
  await eventually(() => feeds.every((feed) => feed.status().state === 'open'));
  const book = new PriceBook({ market, stored: undefined, clock });
  return { twin, clock, market, feeds, book, updates };
}

test('injected prices are the statistics of their windows and exchanges, each another', async () => {
  const { twin, market, book } = await aFollowedSimulator({ exchangeRate: 0 });
  const inject = async (exchange: string, price: string, agoMs: number) =>
    void (await twin.control({ action: 'inject', exchange, symbol: 'BTCUSDT', price, agoMs }));
  // As docs/simulator.md has them.
  await inject('exchange1', '400', 200_000);
  await inject('exchange1', '300', 30_000);
  await inject('exchange1', '200', 1000);
  await inject('exchange2', '500', 1000);
  await eventually(() => market.counters.trades === 4);

  const first = 'sim-exchange1:BTCUSDT';
  const both = [first, 'sim-exchange2:BTCUSDT'];
  const told = async (instruments: readonly string[], seconds: number) => {
    const answer = await book.statistics(instruments, seconds * 1_000_000);
    const { average, highest, lowest, tradeCount, volumeWeightedAverage, reason } = answer;
    expect(volumeWeightedAverage).toBeUndefined();
    expect(reason).toContain('prices come without quantities');
    const shown = [average, lowest?.price, highest?.price].map((price) =>
      formatDecimal(price ?? 0n),
    );
    return [...shown, tradeCount];
  };
  expect(await told([first], 5)).toEqual(['200', '200', '200', 1]);
  expect(await told([first], 60)).toEqual(['250', '200', '300', 2]);
  expect(await told([first], 300)).toEqual(['300', '200', '400', 3]);
  expect(await told(both, 5)).toEqual(['350', '200', '500', 2]);
});

test('every update that three exchanges send is counted, each at its own', async () => {
  const { twin, clock, market, feeds } = await aFollowedSimulator({
    exchangeRate: 2000,
    exchangeSymbols: ['BTCUSDT', 'ETHUSDT'],
  });
  await clock.advance(2000, 20);
  await eventually(() => expect(market.counters.trades).toBe(12_000));
  for (const feed of feeds) {
    expect(feed.status().counters).toEqual({
      frames: 4000,
      ignoredFrames: 0,
      badFrames: { unreadable: 0, binary: 0, field: 0, time: 0 },
      reconnects: 0,
    });
  }
  const { body } = await twin.get<{ exchanges: Record<string, { sent: number }> }>('/control');
  expect(Object.values(body.exchanges).map(({ sent }) => sent)).toEqual([4000, 4000, 4000]);
});

test('an exchange that is stopped leaves the others alone, and is followed again when it is back', async () => {
  const { twin, clock, market, feeds, updates } = await aFollowedSimulator({
    exchangeSymbols: ['BTCUSDT', 'ETHUSDT'],
  });
  await clock.advance(1000, 100);
  await twin.control({ action: 'refuse', exchange: 'exchange1' });
  await twin.control({ action: 'cut', exchange: 'exchange1', how: 'reset' });
  await eventually(() => feeds[0]?.status().state === 'waiting');
  await clock.advance(5000, 100);
  await twin.control({ action: 'clear' });
  await eventually(async () => {
    await clock.advance(200, 100);
    return market.statuses(clock.now()).every(({ state }) => state === 'live');
  });
  expect(feeds.map((feed) => feed.status().counters.reconnects)).toEqual([1, 0, 0]);
  const gaps = updates.filter((update) => update.type === 'gap');
  expect(gaps.map(({ instrument, state }) => `${instrument} ${state}`).toSorted()).toEqual([
    'sim-exchange1:BTCUSDT absent',
    'sim-exchange1:ETHUSDT absent',
  ]);
});
