import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { CandleReader } from '../../src/store/candle/candle-store.ts';
import { Line, beforeEverything } from '../story/line.ts';
import { expectKlinesStored } from '../story/stored-klines.ts';
import { eventually } from '../support/eventually.ts';
import { fastClock } from '../support/fast-clock.ts';
import { openTestDatabase } from '../support/postgres.ts';

const symbol = 'LTCBTC';

test('F33 while Postgres takes nothing the server goes on, and afterwards each candle has its row', async () => {
  const clock = fastClock(beforeEverything + 10_000_000, 30);
  await using database = await openTestDatabase();
  await using line = new Line(clock, [symbol], database.url);
  await line.startSimulator();
  await line.startServer();
  await line.startPersistor();
  const reader = new CandleReader(database);
  const newest = async () => {
    const query = { exchange: 'sim-binance', symbol, timeframe: '1s', limit: 1 } as const;
    const [row] = await reader.listCandles({ ...query, newestFirst: true });
    return row?.closeTime ?? 0;
  };
  await eventually(async () => expect(await newest()).toBeGreaterThan(0), 60_000);
  const memory = process.memoryUsage().rss;
  const stopped = clock.now();
  const blocker = new Client({ connectionString: database.url });
  await blocker.connect();
  onTestFinished(() => blocker.end());
  await blocker.query('begin');
  await blocker.query('lock table candle in exclusive mode');
  await eventually(() => clock.now() > stopped + 30_000_000, 60_000);
  expect((await fetch(`${line.serverUrl}/readyz`)).status).toBe(200);
  expect(await newest(), 'nothing could be stored').toBeLessThan(stopped + 5_000_000);
  await blocker.query('rollback');
  const to = Math.floor(clock.now() / 1e6) * 1e6;
  await eventually(async () => expect(await newest()).toBeGreaterThanOrEqual(to), 60_000);
  await eventually(async () => {
    await expectKlinesStored(database, symbol, to);
  }, 60_000);
  expect(process.memoryUsage().rss - memory).toBeLessThan(300_000_000);
});
