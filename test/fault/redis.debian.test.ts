import { expect, test } from 'vitest';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { PriceService } from '../../gen/tradewind/market/v1/price_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Micros } from '../../src/base/clock.ts';
import { microsOf } from '../../src/rpc/messages.ts';
import { CandleReader } from '../../src/store/candle-store.ts';
import { Line } from '../story/line.ts';
import { eventually } from '../support/eventually.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { startRedis } from '../support/redis-process.ts';
import type { RedisProcess } from '../support/redis-process.ts';

const symbol = 'BTCUSDT';
const key = 'tradewind:1:price:sim-binance:BTCUSDT';
const second: Micros = 1_000_000;

type Trouble = {
  readonly name: string;
  readonly begin: (redis: RedisProcess) => unknown;
  readonly end: (redis: RedisProcess) => unknown;
};

const troubles: readonly Trouble[] = [
  { name: 'frozen', begin: (redis) => redis.freeze(), end: (redis) => redis.thaw() },
  {
    name: 'full',
    begin: (redis) => redis.ask('CONFIG', 'SET', 'maxmemory', '1'),
    end: (redis) => redis.ask('CONFIG', 'SET', 'maxmemory', '0'),
  },
  { name: 'flushed', begin: (redis) => redis.ask('FLUSHALL'), end: () => undefined },
  { name: 'killed', begin: (redis) => redis.kill(), end: (redis) => redis.start() },
];

test('whatever happens to Redis, prices are told and candles are stored, and it is filled again', async () => {
  await using redis = await startRedis();
  await using database = await openTestDatabase();
  await using line = new Line(systemClock, [symbol], database.url);
  await line.startSimulator();
  await line.startServer({ REDIS_URL: redis.url });
  await line.startPersistor();
  const prices = createClient(PriceService, createGrpcTransport({ baseUrl: line.serverUrl }));
  const reader = new CandleReader(database);
  const stored = async () => {
    const query = { exchange: 'sim-binance', symbol, timeframe: '1s', limit: 1 } as const;
    const [row] = await reader.listCandles({ ...query, newestFirst: true });
    return row?.closeTime ?? 0;
  };
  const shared = async () => Number(await redis.ask('HGET', key, 'time'));
  await eventually(async () => expect(await shared()).toBeGreaterThan(0), 60_000);
  await eventually(async () => expect(await stored()).toBeGreaterThan(0), 60_000);

  for (const { name, begin, end } of troubles) {
    const began = systemClock.now();
    await begin(redis);
    await eventually(async () => {
      expect(await stored(), name).toBeGreaterThan(began + 2 * second);
      const asked = { symbol };
      const { timestamp, cached } = await prices.getLatestPrice(asked, { timeoutMs: 1_000 });
      expect(cached).toBe(false);
      expect(timestamp && microsOf(timestamp), name).toBeGreaterThan(began);
    }, 30_000);
    await end(redis);
    const ended = systemClock.now();
    await eventually(async () => expect(await shared(), name).toBeGreaterThan(ended), 30_000);
  }
});
