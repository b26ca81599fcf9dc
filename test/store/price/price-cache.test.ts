import { pino } from 'pino';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/logger.ts';
import type { Trade } from '../../../src/domain/trade.ts';
import { PriceCache } from '../../../src/store/price/price-cache.ts';
import { aTrade } from '../../support/builders.ts';
import { TwinClock } from '../../support/twin-clock.ts';
import { TwinPriceCache } from '../../support/twin-price-connection.ts';

/** A cache and its clock; `known` is what the server knows when it fills the cache. */
function openCache(twin: TwinPriceCache, known: Trade[] = [], random = () => 0) {
  const clock = new TwinClock();
  const log: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void log.push(line) });
  const cache = new PriceCache({
    connect: twin.connect,
    latestTrades: () => known,
    writePeriodMs: 100,
    timeoutMs: 100,
    clock,
    logger,
    random,
  });
  /** Lets time pass; what answers at once has answered by then. */
  const pass = (ms: number) => clock.advance(ms, 50);
  return { cache, pass, log };
}

const bitcoin = (id: number) => aTrade({ id, price: String(100 + id), exchangeTime: id });
const prices = (trades: Iterable<Trade>) => [...trades].map(({ id }) => id);

test('many prices of an instrument are one write a period, of the newest', async () => {
  const twin = new TwinPriceCache();
  const { cache, pass } = openCache(twin);
  await using _cache = cache;
  await pass(50);
  for (const id of [1, 2, 9, 3]) cache.offer(bitcoin(id));
  await pass(100);
  expect(prices(twin.kept.values())).toEqual([9]);
  for (let id = 10; id < 40; id++) {
    cache.offer(bitcoin(id));
    await pass(10);
  }
  await pass(100);
  expect(prices(twin.kept.values())).toEqual([39]);
  expect(twin.writes.length).toBeLessThan(6);
});

test('many instruments go in writes of at most a hundred', async () => {
  const twin = new TwinPriceCache();
  const { cache, pass } = openCache(twin);
  await using _cache = cache;
  for (let index = 0; index < 250; index++)
    cache.offer(aTrade({ instrument: `binance:S${index}` }));
  await pass(100);
  expect(twin.writes).toEqual([100, 100, 50]);
});

test('what was emptied is full again without a new price', async () => {
  const twin = new TwinPriceCache();
  const { cache, pass } = openCache(twin, [bitcoin(1)]);
  await using _cache = cache;
  await pass(100);
  twin.kept.clear();
  await pass(10_200);
  expect(prices(twin.kept.values())).toEqual([1]);
});

test.each(['silent', 'frozen', 'full'] as const)(
  'while it is %s nothing waits for it, the status says so, and afterwards it is filled',
  async (trouble) => {
    const twin = new TwinPriceCache();
    const { cache, pass } = openCache(twin, [bitcoin(1)]);
    await using _cache = cache;
    await pass(100);
    expect(cache.status).toEqual({ state: 'ok', reason: '' });
    twin.trouble = trouble;
    for (let id = 2; id < 50; id++) {
      cache.offer(bitcoin(id));
      await pass(100);
    }
    expect(cache.status.state).toBe('degraded');
    expect(cache.status.reason).not.toBe('');
    twin.trouble = 'none';
    await pass(10_000);
    expect(prices(twin.kept.values())).toEqual([49]);
    expect(cache.status).toEqual({ state: 'ok', reason: '' });
    expect(twin.connections).toBe(1);
  },
);

test('that it went silent shows within two seconds, also while nothing is traded', async () => {
  const twin = new TwinPriceCache();
  const { cache, pass } = openCache(twin);
  await using _cache = cache;
  await pass(5000);
  expect(cache.status.state).toBe('ok');
  twin.trouble = 'silent';
  await pass(1500);
  expect(cache.status.state).toBe('degraded');
});

test('a cache that is not there at the start is found when it comes, and asked ever more rarely', async () => {
  const twin = new TwinPriceCache();
  twin.trouble = 'away';
  const { cache, pass } = openCache(twin, [bitcoin(1)]);
  await using _cache = cache;
  await pass(20_000);
  expect(cache.status).toEqual({ state: 'degraded', reason: 'Connection refused' });
  expect(await cache.latest(['binance:BTCUSDT'])).toEqual([]);
  twin.trouble = 'none';
  await pass(5_000);
  expect(prices(twin.kept.values())).toEqual([1]);
  expect(cache.status.state).toBe('ok');
});

test('one that takes connections and answers nothing is asked ever more rarely, and is never there', async () => {
  const twin = new TwinPriceCache();
  twin.kept.set('binance:BTCUSDT', bitcoin(5));
  const { cache, pass, log } = openCache(twin, [bitcoin(1)], () => 0.5);
  await using _cache = cache;
  await pass(100);
  twin.trouble = 'frozen';
  await pass(5_000);
  const [attempts, timeouts] = [twin.attempts, cache.counters.timeouts];
  // Many back-offs: each question meanwhile is answered at once, with nothing.
  for (let index = 0; index < 120; index++) {
    expect(await cache.latest(['binance:BTCUSDT'])).toEqual([]);
    expect(cache.status.state).toBe('degraded');
    await pass(500);
  }
  // Every 2.5 to 5 seconds, and what an attempt takes.
  expect(twin.attempts - attempts).toBeLessThan(25);
  expect(cache.counters.timeouts - timeouts).toBe(twin.attempts - attempts);
  expect(twin.reads).toBe(0);
  expect(log.filter((line) => line.includes('Connected to the cache'))).toHaveLength(1);
  twin.trouble = 'none';
  await pass(6_000);
  expect(cache.status.state).toBe('ok');
  expect(cache.counters).toMatchObject({ connections: 2, refusals: 0 });
});

test('a question that is not answered in time is answered with nothing, and closes the connection', async () => {
  const twin = new TwinPriceCache();
  twin.kept.set('binance:BTCUSDT', bitcoin(5));
  const { cache, pass } = openCache(twin);
  await using _cache = cache;
  await pass(100);
  expect(prices(await cache.latest(['binance:BTCUSDT', 'binance:ETHUSDT']))).toEqual([5]);
  twin.trouble = 'silent';
  const asked = cache.latest(['binance:BTCUSDT']);
  await pass(150);
  expect(await asked).toEqual([]);
  expect(cache.status.state).toBe('degraded');
  expect(twin.connections).toBe(0);
});

test('the same question is asked once at a time, and a flood of questions is not passed on', async () => {
  const twin = new TwinPriceCache();
  const { cache, pass } = openCache(twin);
  await using _cache = cache;
  await pass(100);
  twin.trouble = 'silent';
  const same = Array.from({ length: 10 }, () => cache.latest(['binance:BTCUSDT']));
  expect(new Set(same).size).toBe(1);
  const others = Array.from({ length: 100 }, (_, index) => cache.latest([`binance:S${index}`]));
  expect(await others.at(-1)).toEqual([]);
  expect(twin.reads).toBe(64);
  await pass(150);
  expect((await Promise.all([...same, ...others])).flat()).toEqual([]);
});

test('at a full cache reading goes on', async () => {
  const twin = new TwinPriceCache();
  const { cache, pass } = openCache(twin, [bitcoin(1)]);
  await using _cache = cache;
  await pass(100);
  twin.trouble = 'full';
  cache.offer(bitcoin(2));
  await pass(200);
  expect(cache.status).toEqual({ state: 'degraded', reason: 'OOM' });
  expect(prices(await cache.latest(['binance:BTCUSDT']))).toEqual([1]);
});

test('a closed cache leaves neither a connection nor a timer', async () => {
  const twin = new TwinPriceCache();
  const clock = new TwinClock();
  const parts = { writePeriodMs: 100, timeoutMs: 100, clock, logger: silentLogger };
  const cache = new PriceCache({ ...parts, connect: twin.connect, latestTrades: () => [] });
  await clock.advance(500, 50);
  await cache[Symbol.asyncDispose]();
  expect([twin.connections, clock.pendingTimers]).toEqual([0, 0]);
});
