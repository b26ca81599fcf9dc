import { expect, test } from 'vitest';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { PriceService } from '../../gen/tradewind/market/v1/price_service_pb.ts';
import { SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Micros } from '../../src/base/clock.ts';
import { microsOf } from '../../src/rpc/messages.ts';
import { CandleReader } from '../../src/store/candle/candle-store.ts';
import { Line } from '../story/line.ts';
import { eventually } from '../support/eventually.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { startRedis } from '../support/redis-process.ts';
import type { RedisProcess } from '../support/redis-process.ts';

const symbol = 'BTCUSDT';
const second: Micros = 1_000_000;

/** Of each of the three exchanges of lines, and questions that wait for an answer all the time. */
const updatesPerSecond = '500';
const questions = 8;

type Trouble = {
  readonly name: string;
  readonly begin: (redis: RedisProcess) => unknown;
  readonly end: (redis: RedisProcess) => unknown;
  /** What the health says of it meanwhile. */
  readonly health: 'ok' | 'degraded';
};

const troubles: readonly Trouble[] = [
  {
    name: 'frozen',
    begin: (redis) => redis.freeze(),
    end: (redis) => redis.thaw(),
    health: 'degraded',
  },
  {
    name: 'full',
    begin: (redis) => redis.ask('CONFIG', 'SET', 'maxmemory', '1'),
    end: (redis) => redis.ask('CONFIG', 'SET', 'maxmemory', '0'),
    health: 'degraded',
  },
  {
    name: 'flushed',
    begin: (redis) => redis.ask('FLUSHALL'),
    end: () => undefined,
    health: 'ok',
  },
  {
    name: 'killed',
    begin: (redis) => redis.kill(),
    end: (redis) => redis.start(),
    health: 'degraded',
  },
];

/** Asks for prices, the next as soon as one is answered, until it is closed; it tells what failed. */
function askOn(ask: () => Promise<unknown>) {
  const stopping = new AbortController();
  let answered = 0;
  const failures: unknown[] = [];
  const asking = Array.from({ length: questions }, async () => {
    while (!stopping.signal.aborted) {
      try {
        await ask();
        answered++;
      } catch (error) {
        failures.push(error);
      }
    }
  });
  return {
    failures,
    answered: () => answered,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await Promise.all(asking);
    },
  };
}

test('whatever happens to Redis under load, prices are told and candles are stored, and it is filled again', async () => {
  await using redis = await startRedis();
  await using database = await openTestDatabase();
  await using line = new Line(systemClock, [symbol], database.url);
  await line.startSimulator({ SIMULATOR_EXCHANGE_RATE: updatesPerSecond });
  await line.startServer({
    REDIS_URL: redis.url,
    SIMULATOR_EXCHANGE_PORTS: line.exchangePorts.join(' '),
  });
  await line.startPersistor();
  const transport = createGrpcTransport({ baseUrl: line.serverUrl });
  const prices = createClient(PriceService, transport);
  const system = createClient(SystemService, transport);
  const reader = new CandleReader(database);
  const seconds = async (limit: number) => {
    const query = { exchange: 'sim-binance', symbol, timeframe: '1s', limit } as const;
    return await reader.listCandles({ ...query, newestFirst: true });
  };
  const stored = async () => (await seconds(1))[0]?.closeTime ?? 0;
  const shared = async (exchange: string) =>
    Number(await redis.ask('HGET', `tradewind:1:price:sim-${exchange}:${symbol}`, 'time'));
  const health = async () => {
    const { status, postgres, redis: cache } = await system.getHealth({});
    return { status, postgres: postgres?.status, redis: cache?.status };
  };
  const whole = { status: 'ok', postgres: 'ok', redis: 'ok' };
  for (const exchange of ['binance', 'exchange1', 'exchange3']) {
    await eventually(async () => expect(await shared(exchange)).toBeGreaterThan(0), 60_000);
  }
  await eventually(async () => expect(await stored()).toBeGreaterThan(0), 60_000);
  await eventually(async () => expect(await health()).toEqual(whole));
  const observed = await stored();

  await using load = askOn(() => prices.getPriceStatistics({ symbol }, { timeoutMs: 10_000 }));
  for (const { name, begin, end, health: expected } of troubles) {
    const began = systemClock.now();
    const already = load.answered();
    await begin(redis);
    await eventually(async () => {
      expect(await health(), name).toEqual({ status: expected, postgres: 'ok', redis: expected });
    });
    await eventually(async () => {
      expect(await stored(), name).toBeGreaterThan(began + 2 * second);
      const asked = { symbol };
      const { timestamp, cached } = await prices.getLatestPrice(asked, { timeoutMs: 10_000 });
      expect(cached).toBe(false);
      expect(timestamp && microsOf(timestamp), name).toBeGreaterThan(began);
    }, 30_000);
    expect(load.answered(), name).toBeGreaterThan(already);
    await end(redis);
    const ended = systemClock.now();
    for (const exchange of ['binance', 'exchange1']) {
      await eventually(
        async () => expect(await shared(exchange), name).toBeGreaterThan(ended),
        30_000,
      );
    }
    await eventually(async () => expect(await health(), name).toEqual(whole));
  }
  expect(load.failures).toEqual([]);

  // Not one second is lacking, and none lacks a trade.
  const row = (await seconds(1_000)).filter(({ openTime }) => openTime >= observed).toReversed();
  expect(row.length).toBeGreaterThan(8);
  expect(row.map(({ openTime }) => openTime)).toEqual(
    row.map((_, index) => observed + index * second),
  );
  expect(row.filter(({ isComplete, isPartial }) => !isComplete || isPartial)).toEqual([]);
});
