import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Timeframe } from '../../gen/tradewind/market/v1/candle_pb.ts';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Clock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Candle } from '../../src/domain/candle.ts';
import { timeframes } from '../../src/domain/timeframe.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { Database } from '../../src/store/database.ts';
import { openEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { eventually } from '../support/eventually.ts';
import { fastClock } from '../support/fast-clock.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { Line, beforeEverything } from './line.ts';
import { expectKlinesStored, storedCandles } from './stored-klines.ts';

// Half a minute of the market a second: the programs are real, only their time is short.
const speed = 30;
const symbols = ['BTCUSDT', 'LTCBTC'];

let database: Database & { readonly url: string };
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** Waits until everything of both symbols that ends before `time` is stored. */
function storedUntil(database: Database, time: number): Promise<void> {
  return eventually(async () => {
    for (const symbol of symbols) {
      const span = { from: time - 1_000_000, to: time };
      const [row] = await storedCandles(database, symbol, '1s', span);
      expect(row?.closeTime, `${symbol} is stored until ${time}`).toBe(time);
    }
  }, 60_000);
}

/** Waits until what was before the start has been read: then no candle is partial any more. */
function historyRead(database: Database, symbol: string): Promise<void> {
  const everything = { from: 0, to: Number.MAX_SAFE_INTEGER };
  return eventually(async () => {
    for (const timeframe of timeframes.toReversed()) {
      const rows = await storedCandles(database, symbol, timeframe, everything);
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.filter(({ isPartial }) => isPartial)).toEqual([]);
    }
  }, 90_000);
}

const secondAt = (clock: Clock) => Math.ceil(clock.now() / 1e6) * 1e6;

test('each kline that closes in a run has one row, and each row is its kline', async () => {
  // Ten seconds before every timeframe begins anew.
  const clock = fastClock(beforeEverything - 10_000_000, speed);
  await using line = new Line(clock, symbols, database.url);
  await line.startSimulator();
  await line.startServer();
  await line.startPersistor();
  await eventually(async () => {
    const span = { from: 0, to: Number.MAX_SAFE_INTEGER };
    for (const symbol of symbols) {
      expect(await storedCandles(database, symbol, '1s', span)).not.toHaveLength(0);
    }
  });
  // Up to the end of the first whole 5m candle.
  const end = beforeEverything + 300_000_000;
  await storedUntil(database, end);
  for (const symbol of symbols) {
    await historyRead(database, symbol);
    await eventually(() => expectKlinesStored(database, symbol, end), 60_000);
    const counts = await expectKlinesStored(database, symbol, end);
    // What closed in the run, and the history before it: 500 of each, as far as the exchange has.
    expect(counts['1s']).toBeGreaterThanOrEqual(500 + 300);
    expect(counts['5m']).toBeGreaterThan(500);
    expect(counts['1d']).toBeGreaterThan(499);
    expect(counts['1M']).toBe(25);
  }
});

test('while the persistor is away nothing is lost, and when it is back nothing is stored twice', async () => {
  const start = beforeEverything + 86_400_000_000;
  const clock = fastClock(start, speed);
  await using own = await openTestDatabase();
  await using line = new Line(clock, symbols, own.url);
  await line.startSimulator();
  await line.startServer();
  await line.startPersistor();
  await storedUntil(own, secondAt(clock) + 10_000_000);
  for (let times = 0; times < 3; times++) {
    await line.stop('persistor');
    const away = secondAt(clock) + 20_000_000;
    await eventually(() => clock.now() > away);
    await line.startPersistor();
    await storedUntil(own, away);
  }
  const end = secondAt(clock);
  await storedUntil(own, end);
  for (const symbol of symbols) {
    await historyRead(own, symbol);
    await eventually(() => expectKlinesStored(own, symbol, end), 60_000);
  }
});

test('exchange, server, persistor and Postgres stop in turn, and the line comes back by itself', async () => {
  const clock = fastClock(beforeEverything + 2 * 86_400_000_000, speed);
  const cluster = { directory: temporaryDirectory(), isThrowAway: true };
  const surroundings = { clock: systemClock, logger: silentLogger };
  const postgres = await openEmbeddedPostgres({ ...cluster, ...surroundings });
  await using stack = new AsyncDisposableStack();
  const rest = { current: stack.use(postgres) };
  await migrate({ url: postgres.url, direction: 'up', logger: silentLogger });
  const own = stack.use(openDatabase({ url: postgres.url, program: 'test', ...surroundings }));
  const line = stack.use(new Line(clock, symbols, postgres.url));
  await line.startSimulator();
  await line.startServer();
  await line.startPersistor();
  const comesBack = async () => {
    const { closeTime = 0 } = (await newest(own)) ?? {};
    await storedUntil(own, Math.max(closeTime, secondAt(clock)) + 5_000_000);
  };
  await comesBack();

  await line.stop('simulator');
  await line.startSimulator();
  await comesBack();

  await line.stop('server');
  await line.startServer();
  await comesBack();

  await line.stop('persistor');
  await line.startPersistor();
  await comesBack();

  await rest.current[Symbol.asyncDispose]();
  const away = secondAt(clock) + 20_000_000;
  await eventually(() => clock.now() > away);
  rest.current = stack.use(
    await openEmbeddedPostgres({ ...cluster, ...surroundings, port: postgres.port }),
  );
  await comesBack();

  const rows = await storedCandles(own, 'BTCUSDT', '1s', { from: 0, to: Number.MAX_SAFE_INTEGER });
  expect(new Set(rows.map(({ run }) => run)).size, 'two lives of the server').toBe(2);
  // Whoever was away, no candle is missing, and all are whole.
  const { closeTime: end = 0 } = (await newest(own)) ?? {};
  for (const symbol of symbols) {
    await eventually(() => expectKlinesStored(own, symbol, end - 5_000_000), 60_000);
  }
});

test('a reader goes on where it was when the server has been started again', async () => {
  const clock = fastClock(beforeEverything + 3 * 86_400_000_000, speed);
  await using own = await openTestDatabase();
  await using line = new Line(clock, symbols, own.url);
  await line.startSimulator();
  await line.startServer();
  await line.startPersistor();
  const selections = symbols.map((instrument) => ({ instrument, timeframe: Timeframe.S1 }));
  const closeTimes = new Set<string>();
  /** Reads the snapshot and ten updates; answers the last cursor and how much came again. */
  const read = async (resumeAfter: string) => {
    const client = createClient(MarketService, createGrpcTransport({ baseUrl: line.serverUrl }));
    const abort = new AbortController();
    let cursor = resumeAfter;
    let repeats = 0;
    let updates = -1;
    const request = { selections, resumeAfter };
    for await (const element of client.streamCandles(request, { signal: abort.signal })) {
      cursor = element.cursor;
      if (element.repeat) repeats++;
      if (element.event.case === 'snapshotEnd') updates = 0;
      if (element.event.case !== 'candle') continue;
      const { instrument, closeTime } = element.event.value;
      closeTimes.add(`${instrument} ${closeTime?.seconds ?? 0n}`);
      if (updates >= 0 && ++updates >= 10) break;
    }
    abort.abort();
    return { cursor, repeats };
  };
  for (const symbol of symbols) await historyRead(own, symbol);
  const { cursor } = await read('');
  await storedUntil(own, secondAt(clock));
  await line.stop('server');
  await line.startServer();
  const { repeats } = await read(cursor);
  expect(repeats).toBeGreaterThan(0);

  for (const symbol of symbols) {
    const seconds = [...closeTimes]
      .filter((key) => key.startsWith(`sim-binance:${symbol} `))
      .map((key) => Number(key.split(' ')[1]))
      .toSorted((a, b) => a - b);
    const all = Array.from({ length: seconds.length }, (_, index) => (seconds[0] ?? 0) + index);
    expect(seconds, `${symbol}: every second, without a hole`).toEqual(all);
  }
});

async function newest(database: Database): Promise<Candle | undefined> {
  const everything = { from: 0, to: Number.MAX_SAFE_INTEGER };
  return (await storedCandles(database, 'BTCUSDT', '1s', everything)).at(-1);
}
