import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import { Timeframe } from '../../gen/tradewind/market/v1/candle_pb.ts';
import type { StreamCandlesResponse } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { Mode, SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Micros } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Candle } from '../../src/domain/candle.ts';
import { readPersistorConfig } from '../../src/persistor/config.ts';
import { startPersistor } from '../../src/persistor/start-persistor.ts';
import { candleFromMessage } from '../../src/rpc/messages.ts';
import { readServerConfig } from '../../src/server/config.ts';
import { startServer } from '../../src/server/start-server.ts';
import { klineAt } from '../../src/simulator/kline.ts';
import { openSymbol } from '../../src/simulator/simulated-symbol.ts';
import { CandleReader } from '../../src/store/candle/candle-store.ts';
import { eventually } from '../support/eventually.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { SeveralExchanges, seeds } from './several-exchanges.ts';
import type { Told } from './several-exchanges.ts';
import { timeOf, valuesOf } from './stored-klines.ts';

const clock = systemClock;
const surroundings = { clock, logger: silentLogger };
const second = 1_000_000;
const secondAfter = (time: Micros) => Math.ceil(time / second) * second;

/** A server, a persistor and a reader of everything, on several exchanges at once. */
async function aFollowedWorld() {
  await using resources = new AsyncDisposableStack();
  const exchanges = resources.use(await SeveralExchanges.open(clock));
  const database = resources.use(await openTestDatabase());
  const environment = {
    ...exchanges.environment,
    PORT: '0',
    DATABASE_URL: database.url,
    HISTORY_CANDLES: '0',
    SHUTDOWN_GRACE_MS: '1000',
  };
  const server = resources.use(await startServer(readServerConfig(environment), surroundings));
  const persistorEnvironment = { SERVER_ADDRESS: server.url, DATABASE_URL: database.url };
  resources.use(await startPersistor(readPersistorConfig(persistorEnvironment), surroundings));

  const transport = createGrpcTransport({ baseUrl: server.url });
  const system = createClient(SystemService, transport);
  const elements: StreamCandlesResponse[] = [];
  const leaving = new AbortController();
  const selections = [{ instrument: '', timeframe: Timeframe.S1 }];
  const reading = (async () => {
    const { signal } = leaving;
    const stream = createClient(MarketService, transport).streamCandles({ selections }, { signal });
    for await (const element of stream) elements.push(element);
  })().catch((error: unknown) => {
    if (!leaving.signal.aborted) throw error;
  });
  resources.defer(async () => {
    leaving.abort();
    await reading;
  });

  const reader = new CandleReader(database);
  const stored = async (exchange: string, symbol: string): Promise<readonly Candle[]> => {
    const candles = await reader.listCandles({ exchange, symbol, timeframe: '1s', limit: 10_000 });
    return candles.toSorted((a, b) => a.openTime - b.openTime);
  };
  const owned = resources.move();
  return {
    exchanges,
    elements,
    stored,
    database,
    setMode: (mode: Mode) => system.setMode({ mode }),
    health: () => system.getHealth({}),
    /** Until all seconds that end before this are stored of an instrument. */
    storedUntil: (exchange: string, symbol: string, time: Micros) =>
      eventually(async () => {
        const last = (await stored(exchange, symbol)).at(-1);
        expect(last?.closeTime, `${exchange}:${symbol} is stored`).toBeGreaterThanOrEqual(time);
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The seconds within a span, by their open time. */
function secondsIn(candles: readonly Candle[], from: Micros, to: Micros) {
  return candles.filter(({ openTime }) => openTime >= from && openTime < to);
}

/** Expects whole candles of a simulated Binance: one of each second, equal to its kline. */
function expectKlines(seed: string, candles: readonly Candle[], from: Micros, to: Micros): void {
  const { tape } = openSymbol(seed, 'BTCUSDT');
  const found = secondsIn(candles, from, to);
  expect(found.map(timeOf)).toEqual(
    Array.from({ length: (to - from) / second }, (_, index) =>
      timeOf({ openTime: from + index * second }),
    ),
  );
  for (const candle of found) {
    const kline = klineAt(tape, '1s', candle.openTime, to + 10 * second);
    if (kline === undefined) throw new Error(`Expected a kline at ${timeOf(candle)}`);
    expect([candle.isComplete, candle.isPartial], timeOf(candle)).toEqual([true, false]);
    expect(valuesOf(candle), timeOf(candle)).toEqual(valuesOf(kline, candle.source));
  }
}

/** Expects whole candles of what a twin has told, one of each second. */
function expectTold(told: readonly Told[], candles: readonly Candle[], from: Micros, to: Micros) {
  const found = secondsIn(candles, from, to);
  expect(found).toHaveLength((to - from) / second);
  for (const { openTime, closeTime, ...candle } of found) {
    const prices = told
      .filter(({ time }) => time >= openTime && time < closeTime)
      .map(({ price }) => price)
      .toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const { tradeCount, low, high, isComplete } = candle;
    const expected = {
      tradeCount: prices.length,
      low: prices[0] ?? low,
      high: prices.at(-1) ?? high,
      isComplete: true,
    };
    expect({ tradeCount, low, high, isComplete }, timeOf({ openTime })).toEqual(expected);
  }
}

test('a mode that is left and gone back to loses nothing, doubles nothing, and is mixed with nothing', async () => {
  await using world = await aFollowedWorld();
  const { exchanges, elements, stored, storedUntil, setMode } = world;
  const live = [
    ['binance', 'BTCUSDT'],
    ['coinbase', 'BTCUSD'],
    ['kraken', 'BTCUSD'],
    ['exchange1', 'BTCUSDT'],
  ] as const;
  await eventually(async () => {
    const { feeds, status } = await world.health();
    expect(feeds.map((feed) => `${feed.exchange} ${feed.status}`)).toEqual([
      ...live.map(([exchange]) => `${exchange} ok`),
      'exchange2 off',
      'exchange3 off',
    ]);
    expect(status).toBe('ok');
  });
  const begun = secondAfter(clock.now()) + second;
  for (const [exchange, symbol] of live) await storedUntil(exchange, symbol, begun + second);

  const left = clock.now();
  expect(await setMode(Mode.TEST)).toMatchObject({ changed: true });
  const simulated = secondAfter(clock.now()) + second;
  await storedUntil('sim-binance', 'BTCUSDT', simulated + 2 * second);
  await storedUntil('sim-exchange3', 'BTCUSDT', simulated + 2 * second);
  const { feeds } = await world.health();
  expect(feeds.map((feed) => `${feed.exchange} ${feed.status}`)).toEqual([
    'sim-binance ok',
    'coinbase off',
    'kraken off',
    'sim-exchange1 ok',
    'sim-exchange2 ok',
    'sim-exchange3 ok',
  ]);
  // Nothing came of those that are off, not even that nothing was traded.
  for (const [exchange, symbol] of live) {
    expect((await stored(exchange, symbol)).at(-1)?.closeTime, exchange).toBeLessThan(left);
  }

  expect(await setMode(Mode.LIVE)).toMatchObject({ changed: true });
  const back = clock.now();
  const end = secondAfter(back) + 2 * second;
  for (const [exchange, symbol] of live) await storedUntil(exchange, symbol, end);

  // Where the exchange can be asked, what was missed meanwhile is as if nothing had been missed.
  await eventually(async () =>
    expectKlines(seeds.binance, await stored('binance', 'BTCUSDT'), begun, end),
  );
  for (const exchange of ['coinbase', 'kraken'] as const) {
    await eventually(async () =>
      expectTold(exchanges.told[exchange], await stored(exchange, 'BTCUSD'), begun, end),
    );
  }
  // Elsewhere it is a gap: no candle of that time says that it is whole.
  const lines = await stored('exchange1', 'BTCUSDT');
  expectTold(exchanges.told.exchange1, lines, begun, Math.floor(left / second) * second);
  expectTold(exchanges.told.exchange1, lines, secondAfter(back) + second, end);
  const away = secondsIn(
    lines,
    Math.floor(left / second) * second,
    Math.floor(back / second) * second,
  );
  expect(away.filter(({ isComplete }) => isComplete).map(timeOf)).toEqual([]);

  // What is simulated stands beside it, and goes on where it was when its mode is on again.
  await setMode(Mode.TEST);
  const again = secondAfter(clock.now()) + second;
  await storedUntil('sim-binance', 'BTCUSDT', again);
  await eventually(async () =>
    expectKlines(seeds['sim-binance'], await stored('sim-binance', 'BTCUSDT'), simulated, again),
  );

  // The reader was there all the time, and got every version of every candle once.
  const versions = elements.flatMap(({ event }) =>
    event.case === 'candle'
      ? [`${event.value.instrument} ${event.value.openTime?.seconds} r${event.value.revision}`]
      : [],
  );
  expect(new Set(versions).size).toBe(versions.length);
  // The twins trade in every second: one that is said to be whole and without a trade is invented.
  const invented = elements.flatMap(({ event }) =>
    event.case === 'candle' && /^(?:coinbase|kraken|exchange1):/u.test(event.value.instrument)
      ? event.value.complete && event.value.tradeCount === 0n
        ? [`${event.value.instrument} ${event.value.openTime?.seconds}`]
        : []
      : [],
  );
  expect(invented).toEqual([]);
  for (const [exchange, symbol] of [...live, ['sim-binance', 'BTCUSDT'] as const]) {
    const name = `${exchange}:${symbol}`;
    const seen = new Set(
      versions.filter((one) => one.startsWith(`${name} `)).map((one) => one.split(' ')[1]),
    );
    const rows = (await stored(exchange, symbol)).filter(({ openTime }) => openTime >= begun);
    expect(rows.filter(({ openTime }) => !seen.has(String(openTime / second))).map(timeOf)).toEqual(
      [],
    );
  }
}, 120_000);

test('what was missed in the other mode is asked for also where nothing is stored', async () => {
  await using exchanges = await SeveralExchanges.open(clock);
  const environment = { ...exchanges.environment, PORT: '0', HISTORY_CANDLES: '0' };
  await using server = await startServer(readServerConfig(environment), surroundings);
  const transport = createGrpcTransport({ baseUrl: server.url });
  const market = createClient(MarketService, transport);
  const system = createClient(SystemService, transport);
  const listed = async (instrument: string): Promise<readonly Candle[]> => {
    const request = { instrument, timeframe: Timeframe.S1, pageSize: 1000 };
    const { candles } = await market.listCandles(request);
    return candles.map(candleFromMessage).filter(({ isClosed }) => isClosed);
  };
  const closedUntil = (instrument: string, time: Micros) =>
    eventually(async () =>
      expect((await listed(instrument)).at(-1)?.closeTime).toBeGreaterThanOrEqual(time),
    );
  const begun = secondAfter(clock.now()) + second;
  const instruments = ['binance:BTCUSDT', 'coinbase:BTCUSD', 'kraken:BTCUSD'];
  for (const instrument of instruments) await closedUntil(instrument, begun + second);
  await system.setMode({ mode: Mode.TEST });
  await closedUntil('sim-binance:BTCUSDT', secondAfter(clock.now()) + 2 * second);
  await system.setMode({ mode: Mode.LIVE });
  const end = secondAfter(clock.now()) + 2 * second;
  for (const instrument of instruments) await closedUntil(instrument, end);
  await eventually(async () =>
    expectKlines(seeds.binance, await listed('binance:BTCUSDT'), begun, end),
  );
  for (const exchange of ['coinbase', 'kraken'] as const) {
    await eventually(async () =>
      expectTold(exchanges.told[exchange], await listed(`${exchange}:BTCUSD`), begun, end),
    );
  }
}, 60_000);
