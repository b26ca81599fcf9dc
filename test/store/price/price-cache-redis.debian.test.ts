import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Micros } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import type { Trade } from '../../../src/domain/trade.ts';
import { connectToRedis } from '../../../src/store/price/price-cache-redis.ts';
import { PriceCache } from '../../../src/store/price/price-cache.ts';
import { aTrade } from '../../support/builders.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedis } from '../../support/redis-process.ts';
import type { RedisProcess } from '../../support/redis-process.ts';

const bitcoin = 'binance:BTCUSDT';
const key = 'tradewind:1:price:binance:BTCUSDT';
const now: Micros = systemClock.now();
const second = 1_000_000;

const at = (seconds: number, id: number, price = '100.5') =>
  aTrade({ id, price, exchangeTime: now + seconds * second, receivedTime: now });

const connect = (redis: RedisProcess, expirySeconds = 300) =>
  connectToRedis(
    { url: redis.url, expirySeconds, clock: systemClock },
    new AbortController().signal,
  );

/** A cache on a Redis; `known` is what the server knows. */
function openCache(redis: RedisProcess, known: Trade[]): PriceCache {
  return new PriceCache({
    connect: (signal) =>
      connectToRedis({ url: redis.url, expirySeconds: 300, clock: systemClock }, signal),
    latestTrades: () => known,
    writePeriodMs: 10,
    timeoutMs: 100,
    clock: systemClock,
    logger: silentLogger,
  });
}

test('a price is a hash that others can read, and expires', async () => {
  await using redis = await startRedis();
  const connection = await connect(redis);
  await connection.write([at(0, 7)]);
  const fields = `time ${now} id 7 price 100.5 received ${now} exchange binance symbol BTCUSDT`;
  expect(await redis.ask('HGETALL', key)).toEqual(fields.split(' '));
  const lifetimeMs = Number(await redis.ask('PTTL', key));
  expect(lifetimeMs).toBeGreaterThan(0);
  expect(lifetimeMs).toBeLessThanOrEqual(300_000);
  expect(await connection.read([bitcoin, 'binance:ETHUSDT'])).toMatchObject([
    { instrument: bitcoin, id: 7, price: at(0, 7).price, exchangeTime: now, receivedTime: now },
  ]);
  connection.close();
});

test('no older price comes over a newer one, by time and then by id', async () => {
  await using redis = await startRedis();
  const [one, other] = [await connect(redis), await connect(redis)];
  const kept = async () => (await one.read([bitcoin])).map(({ id }) => id);
  await one.write([at(0, 5)]);
  await other.write([at(-1, 9)]);
  await other.write([at(0, 4)]);
  expect(await kept()).toEqual([5]);
  await other.write([at(0, 6)]);
  expect(await kept()).toEqual([6]);
  await other.write([at(1, 1)]);
  expect(await kept()).toEqual([1]);
  one.close();
  other.close();
});

test.each<[what: string, ...commands: string[][]]>([
  ['of a wrong type', ['LPUSH', key, 'a']],
  ['a text', ['SET', key, '{"price":1}']],
  ['without fields', ['HSET', key, 'other', '1']],
  [
    'with a time that is no number',
    ['HSET', key, 'time', 'nan', 'id', '1', 'price', '1', 'received', '1'],
  ],
  ['with an endless time', ['HSET', key, 'time', 'inf', 'id', '1', 'price', '1', 'received', '1']],
  [
    'from the far future',
    ['HSET', key, 'time', '9007199254740991', 'id', '1', 'price', '1', 'received', '1'],
  ],
  [
    'with a price that is none',
    ['HSET', key, 'time', String(now - second), 'id', '1', 'price', '-1', 'received', '1'],
  ],
])('what is kept that is %s counts as nothing, and gives way', async (_what, ...commands) => {
  await using redis = await startRedis();
  for (const command of commands) await redis.ask(...command);
  const connection = await connect(redis);
  expect(await connection.read([bitcoin])).toEqual([]);
  await connection.write([at(0, 7)]);
  expect(await connection.read([bitcoin])).toMatchObject([{ id: 7 }]);
  connection.close();
});

test('a Redis that is killed, and comes back empty, is filled again', async () => {
  await using redis = await startRedis();
  const known = [at(0, 1)];
  await using cache = openCache(redis, known);
  await eventually(async () => expect(await cache.latest([bitcoin])).toMatchObject([{ id: 1 }]));
  await redis.kill();
  known[0] = at(1, 2);
  cache.offer(at(1, 2));
  await eventually(() => expect(cache.status.state).toBe('degraded'));
  expect(await cache.latest([bitcoin])).toEqual([]);
  await redis.start();
  await eventually(async () => expect(await cache.latest([bitcoin])).toMatchObject([{ id: 2 }]));
  await eventually(() => expect(cache.status.state).toBe('ok'));
});

test('a Redis that is frozen is away until it answers again, however often it takes a connection', async () => {
  await using redis = await startRedis();
  const known = [at(0, 1)];
  await using cache = openCache(redis, known);
  await eventually(async () => expect(await cache.latest([bitcoin])).toHaveLength(1));
  redis.freeze();
  await eventually(() => expect(cache.status.state).toBe('degraded'));
  const [failures, timeouts] = [cache.counters.failures, cache.counters.timeouts];
  // It is asked again, and more than once: by none of it is it there, and no question waits for it.
  const seen = new Set<string>();
  await eventually(async () => {
    cache.offer(at(1, 2 + seen.size));
    seen.add(`${cache.status.state} ${(await cache.latest([bitcoin])).length}`);
    return cache.counters.failures >= failures + 3;
  });
  expect([...seen]).toEqual(['degraded 0']);
  expect(cache.counters.timeouts - timeouts).toBeGreaterThanOrEqual(3);
  expect(cache.counters.connections).toBe(1);
  known[0] = at(2, 1_001);
  redis.thaw();
  await eventually(async () => {
    expect(await cache.latest([bitcoin])).toMatchObject([{ id: 1_001 }]);
  });
});

test('a full Redis still answers, and takes prices again when there is room', async () => {
  await using redis = await startRedis();
  const known = [at(0, 1)];
  await using cache = openCache(redis, known);
  await eventually(async () => expect(await cache.latest([bitcoin])).toHaveLength(1));
  await redis.ask('CONFIG', 'SET', 'maxmemory', '1');
  cache.offer(at(1, 2));
  await eventually(() => expect(cache.status.state).toBe('degraded'));
  expect(cache.status.reason).toContain('OOM');
  expect(await cache.latest([bitcoin])).toMatchObject([{ id: 1 }]);
  await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
  await eventually(async () => expect(await cache.latest([bitcoin])).toMatchObject([{ id: 2 }]));
  await eventually(() => expect(cache.status.state).toBe('ok'));
});

test('a password that is wrong is told, and nothing else happens', async () => {
  await using redis = await startRedis();
  await redis.ask('CONFIG', 'SET', 'requirepass', 'secret');
  await using cache = openCache(redis, [at(0, 1)]);
  await eventually(() => expect(cache.status.reason).toMatch(/auth/iu));
  expect(cache.status.state).toBe('degraded');
});
