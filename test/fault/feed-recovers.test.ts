import { expect, test } from 'vitest';
import { repeat } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Candle } from '../../src/domain/candle.ts';
import type { MarketEvent } from '../../src/domain/market-event.ts';
import { binance } from '../../src/exchange/binance.ts';
import { openFeed } from '../../src/exchange/feed.ts';
import type { FeedBounds } from '../../src/exchange/feed-settings.ts';
import { Market } from '../../src/market/market.ts';
import type { MarketUpdate } from '../../src/market/market-update.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { eventually } from '../support/eventually.ts';
import { fastClock } from '../support/fast-clock.ts';

// The feed against the simulator's faults, which were written by reading Binance's documents anew.

const symbols = ['BTCUSDT', 'ETHUSDT'];
const [bitcoin, ether] = ['sim-binance:BTCUSDT', 'sim-binance:ETHUSDT'];
const start = Date.UTC(2026, 0, 1, 12) * 1000;
const speed = 10;

/** Sooner than by default: what takes minutes there takes seconds here, ten times as fast again. */
const impatient: Partial<FeedBounds> = {
  expectedSilenceMs: 1000,
  silenceMinimumMs: 3000,
  auditEveryMs: 10_000,
  renewEveryMs: 10_000,
  replaceForDeadEveryMs: 10_000,
  listEveryMs: 5000,
  listAtMostEveryMs: 1000,
  // Where the machine is busy, other work takes as long as ever.
  requestTimeoutMs: 60_000,
  restTimeoutMs: 600_000,
  handshakeTimeoutMs: 600_000,
};

async function openLine(settings: Partial<FeedBounds> = {}) {
  const resources = new AsyncDisposableStack();
  const clock = fastClock(start, speed);
  const environment = { SIMULATOR_PORT: '0', SIMULATOR_REQUEST_WEIGHT: '100000000' };
  const simulator = resources.use(
    await startSimulator(readSimulatorConfig(environment, {}), { clock, logger: silentLogger }),
  );
  const events: MarketEvent[] = [];
  const updates: MarketUpdate[] = [];
  const market = new Market({
    run: 1,
    publish: (update) => updates.push(update),
    // Of two connections one may be behind, at this speed and on a busy machine by a second.
    limits: { gapMaturityMs: 10_000 },
  });
  resources.use(repeat(clock, 100, () => market.tick(clock.now())));
  const feed = resources.use(
    openFeed({
      exchange: binance,
      exchangeName: 'sim-binance',
      symbols,
      handle: (event) => {
        events.push(event);
        market.handle(event);
      },
      clock,
      logger: silentLogger,
      random: Math.random,
      settings: {
        webSocketBaseUrl: simulator.url.replace('http', 'ws'),
        restBaseUrl: simulator.url,
        ...impatient,
        ...settings,
      },
    }),
  );
  const untilDelivering = (instrument: string, count = 20) => {
    const received = () =>
      market.statuses(clock.now()).find((status) => status.instrument === instrument)
        ?.tradesReceived ?? 0;
    const before = received();
    return eventually(() => received() >= before + count);
  };
  await untilDelivering(bitcoin);
  await untilDelivering(ether);
  return {
    feed,
    market,
    events,
    updates,
    untilDelivering,
    control: async (body: Readonly<Record<string, unknown>>) => {
      const options = { method: 'POST', body: JSON.stringify(body) };
      const response = await fetch(`${simulator.url}/control`, options);
      expect(await response.json()).not.toHaveProperty('error');
    },
    reasonsLost: () =>
      events.flatMap((event) => (event.type === 'connectionLost' ? [event.reason] : [])),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** No trade is missing, and no closed candle is flagged in its last revision. */
async function expectUnbroken({ market, updates }: Awaited<ReturnType<typeof openLine>>) {
  const closed = () => {
    const newest = new Map<string, Candle>();
    for (const update of updates) {
      if (update.type !== 'candle' || !update.candle.isClosed) continue;
      const { instrument, timeframe, openTime } = update.candle;
      newest.set(`${instrument} ${timeframe} ${openTime}`, update.candle);
    }
    return [...newest.values()];
  };
  await eventually(() => closed().length > 20);
  await eventually(() => market.statuses(start).every(({ tradesMissing }) => tradesMissing === 0));
  expect(updates.filter(({ type }) => type === 'gap')).toEqual([]);
  expect(closed().filter(({ isComplete }) => !isComplete)).toEqual([]);
}

test('F1: connections that are cut at their age are replaced before, and nothing is flagged', async () => {
  await using line = await openLine({ replaceAfterMs: 8000, replaceJitterMs: 0 });
  await line.control({ action: 'dayCut', lifeMs: 60_000 });
  await eventually(() => line.reasonsLost().length >= 3);
  expect(new Set(line.reasonsLost())).toEqual(new Set(['Its successor delivers']));
  await expectUnbroken(line);
});

test('F2: at serverShutdown the next connection takes over before the cut, and nothing is flagged', async () => {
  await using line = await openLine();
  await line.control({ action: 'serverShutdown', afterMs: 60_000 });
  await eventually(() => line.reasonsLost().length === 1);
  await line.untilDelivering(bitcoin);
  expect(line.reasonsLost()).toEqual(['Its successor delivers']);
  await expectUnbroken(line);
});

test('F5: where pings go on and no stream delivers, the connection is replaced', async () => {
  await using line = await openLine();
  await line.control({ action: 'stall', onlyOpen: true });
  await line.untilDelivering(bitcoin);
  await line.untilDelivering(ether);
  expect(line.reasonsLost().some((reason) => reason.includes('The exchange has had trade'))).toBe(
    true,
  );
  await eventually(() => line.feed.instrumentTroubles().size === 0);
  expect(line.feed.status().counters.reconnects).toBeGreaterThanOrEqual(1);
});

test('F6: a symbol that dies alone is flagged alone and comes back; the other has no break', async () => {
  await using line = await openLine();
  await line.control({ action: 'stall', symbol: 'ETHUSDT' });
  await eventually(() => line.feed.instrumentTroubles().has(ether));
  expect([...line.feed.instrumentTroubles().keys()]).toEqual([ether]);
  await line.untilDelivering(bitcoin);
  await line.control({ action: 'clear' });
  await line.untilDelivering(ether);
  await eventually(() => line.feed.instrumentTroubles().size === 0);
  const ofBitcoin = line.updates.filter(
    (update) =>
      (update.type === 'gap' && update.instrument === bitcoin) ||
      (update.type === 'candle' &&
        update.candle.instrument === bitcoin &&
        update.candle.isClosed &&
        !update.candle.isComplete),
  );
  expect(ofBitcoin).toEqual([]);
});

test('F8: a symbol whose subscription is refused is shown with the exchange’s reason until it is taken', async () => {
  await using line = await openLine();
  await line.control({ action: 'ignoreSubscriptions', symbol: 'ETHUSDT', answer: 'error' });
  await line.control({ action: 'loseSubscription', symbol: 'ETHUSDT' });
  await eventually(() => line.feed.instrumentTroubles().get(ether)?.includes('(code 2)') === true);
  await line.untilDelivering(bitcoin);
  await line.control({ action: 'clear' });
  await line.untilDelivering(ether);
  await eventually(() => line.feed.instrumentTroubles().size === 0);
});

test('F9: a subscription that is lost without a word is found and made again', async () => {
  await using line = await openLine();
  await line.control({ action: 'loseSubscription', symbol: 'ETHUSDT' });
  await eventually(() => line.reasonsLost().length > 0);
  await line.untilDelivering(ether);
  expect(line.feed.status().counters.reconnects).toBe(0);
  expect(line.events.filter(({ type }) => type === 'connectionOpened').length).toBeGreaterThan(1);
});

test('F27: a halted symbol is shown as halted, and the other as it is', async () => {
  await using line = await openLine();
  await line.control({ action: 'inject', symbol: 'ETHUSDT', frames: [] });
  await line.control({ action: 'symbolStatus', symbol: 'ETHUSDT', status: 'HALT' });
  await eventually(() => line.feed.instrumentTroubles().size > 0);
  expect([...line.feed.instrumentTroubles()]).toEqual([
    [ether, 'The exchange has halted it (HALT)'],
  ]);
  await line.control({ action: 'clear' });
  await eventually(() => line.feed.instrumentTroubles().size === 0);
});
