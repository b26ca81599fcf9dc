import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { Persistor } from '../../src/persistor/persistor.ts';
import { CandleReader } from '../../src/store/candle/candle-store.ts';
import { openDatabase } from '../../src/store/database.ts';
import { openEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { eventually } from '../support/eventually.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { openTemporaryDirectory } from '../support/postgres-cluster.ts';
import { streamedCandle, TwinCandleStream } from '../support/twin-candle-stream.ts';

const openAt = (url: string) =>
  openDatabase({ url, program: 'test', clock: systemClock, logger: silentLogger });
const query = {
  exchange: 'sim-binance',
  symbol: 'BTCUSDT',
  timeframe: '1m',
  limit: 10_000,
} as const;
const candles = (count: number) =>
  Array.from({ length: count }, (_, index) => streamedCandle(index + 1));

test('a persistor outlives a Postgres that is stopped, killed and started, and loses nothing', async () => {
  await using temporary = await openTemporaryDirectory();
  const open = (port: number) =>
    openEmbeddedPostgres({
      directory: temporary.path,
      port,
      isThrowAway: true,
      clock: systemClock,
      logger: silentLogger,
    });
  let postgres = await open(0);
  const { url, port } = postgres;
  await migrate({ url, direction: 'up', logger: silentLogger });
  await using database = openAt(url);
  const stream = new TwinCandleStream();
  await using persistor = new Persistor({
    name: 'test',
    follow: stream.follow,
    database,
    bounds: { batchRows: 20, batchLatencyMs: 1, bufferRows: 200 },
    retention: {},
    clock: systemClock,
    logger: silentLogger,
  });

  for (const way of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    for (let n = 0; n < 300; n++) {
      stream.publish({ candles: [streamedCandle(stream.length + 1)] });
      // In the middle of what is being written.
      if (n === 150) process.kill(postgres.pid, way);
    }
    await postgres.exited;
    const { databaseFailures } = persistor.counts;
    stream.publish({ candles: [streamedCandle(stream.length + 1)] });
    await eventually(() => persistor.counts.databaseFailures > databaseFailures);
    postgres = await open(port);
    await eventually(() => stream.batchesRead === stream.length && persistor.uncommittedRows === 0);
  }
  await persistor[Symbol.asyncDispose]();
  expect(await new CandleReader(database).listCandles(query)).toEqual(candles(903));
  await postgres[Symbol.asyncDispose]();
});

test('a persistor that is killed again and again stores everything once', async () => {
  const url = await createTestDatabase();
  await using database = openAt(url);
  const reader = new CandleReader(database);
  const total = 3_000;
  const program = new URL('../support/persistor-process.ts', import.meta.url);
  let kills = 0;
  for (let isDone = false; !isDone;) {
    const child = fork(program, [url, String(total)], { execArgv: [], stdio: 'ignore' });
    // It tells how many candles each batch brought it to; each life is given another number.
    const exited = once(child, 'exit');
    child.on('message', (written: number) => {
      if (kills < 6 && written >= 40 + kills * 70) child.kill('SIGKILL');
    });
    const [code] = await exited;
    if (code === 0) isDone = true;
    else kills++;
  }
  expect(kills).toBe(6);
  expect(await reader.listCandles(query)).toEqual(candles(total));
  expect(await reader.readCursor('test')).toBe(String(total));
});
