import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Candle } from '../../src/domain/candle.ts';
import { Persistor } from '../../src/persistor/persistor.ts';
import type { FollowCandles } from '../../src/persistor/stream-batch.ts';
import { CursorTooOldError } from '../../src/persistor/stream-batch.ts';
import { CandleReader } from '../../src/store/candle/candle-store.ts';
import type { Database } from '../../src/store/database.ts';
import { openDatabase } from '../../src/store/database.ts';
import { aGap } from '../support/a-candle.ts';
import { eventually } from '../support/eventually.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { openStallingProxy } from '../support/stalling-proxy.ts';
import { streamedCandle, TwinCandleStream } from '../support/twin-candle-stream.ts';

const candles = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => streamedCandle(from + index));
const bounds = { batchRows: 100, batchLatencyMs: 1, bufferRows: 1_000 };

describe('the persistor', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let stream: TwinCandleStream;
  beforeEach(async () => {
    database = await openTestDatabase();
    stream = new TwinCandleStream();
  });
  afterEach(() => database[Symbol.asyncDispose]());

  const start = (
    changed: {
      readonly follow?: FollowCandles;
      readonly database?: Database;
      readonly bounds?: Partial<typeof bounds>;
      readonly onWritten?: (delay: number) => void;
    } = {},
  ) =>
    new Persistor({
      name: 'test',
      retention: {},
      clock: systemClock,
      logger: silentLogger,
      follow: stream.follow,
      database,
      ...changed,
      bounds: { ...bounds, ...changed.bounds },
    });
  const stored = () =>
    new CandleReader(database).listCandles({
      exchange: 'sim-binance',
      symbol: 'BTCUSDT',
      timeframe: '1m',
      limit: 100_000,
    });
  const storedCursor = () => new CandleReader(database).readCursor('test');
  const publish = (from: number, to: number) => {
    for (let n = from; n <= to; n++) stream.publish({ candles: [streamedCandle(n)] });
  };

  test('tells how long after its close a candle of trades was committed, but of no revision', async () => {
    const now = systemClock.now();
    const closed = (n: number, changes: Partial<Candle> = {}) => {
      const openTime = now - n * 60_000_000;
      return { ...streamedCandle(1), openTime, closeTime: openTime + 60_000_000, ...changes };
    };
    const delays: number[] = [];
    await using persistor = start({ onWritten: (delay) => delays.push(delay) });
    stream.publish({
      candles: [closed(2), closed(3, { revision: 2 }), closed(4, { source: 'klines' })],
    });
    await eventually(() => persistor.counts.written === 3);
    expect(delays).toHaveLength(1);
    expect(delays[0]).toBeGreaterThanOrEqual(60_000_000);
  });

  test('stores what the stream brings, and goes on after it the next time', async () => {
    publish(1, 250);
    stream.publish({ gaps: [aGap()] });
    {
      await using persistor = start();
      await eventually(() => persistor.counts.written === 250);
    }
    expect(await stored()).toEqual(candles(1, 250));
    expect(await storedCursor()).toBe('251');
    expect(await database.run((sql) => sql`select from gap`)).toHaveLength(1);

    publish(251, 300);
    await using persistor = start();
    await eventually(() => persistor.counts.written === 50);
    expect(stream.resumedAfter).toEqual([undefined, '251']);
    expect(await stored()).toEqual(candles(1, 300));
  });

  test('commits what has arrived when it is stopped', async () => {
    publish(1, 10);
    const persistor = start({ bounds: { batchLatencyMs: 60_000 } });
    await eventually(() => persistor.uncommittedRows === 10);
    expect(await stored()).toEqual([]);
    await persistor[Symbol.asyncDispose]();
    expect(await stored()).toEqual(candles(1, 10));
    expect(await storedCursor()).toBe('10');
  });

  test('does not move its cursor within a snapshot', async () => {
    for (const candle of candles(1, 10)) stream.publish({ candles: [candle], cursor: undefined });
    await using persistor = start();
    await eventually(() => persistor.counts.written === 10);
    expect(await storedCursor()).toBeUndefined();
    stream.publish({ cursor: 'after the snapshot' });
    await eventually(() => stream.batchesRead === 11);
    await persistor[Symbol.asyncDispose]();
    expect(await storedCursor()).toBe('after the snapshot');
  });

  test('follows a stream that ended again, after the last place it has', async () => {
    publish(1, 30);
    stream.beforeBatch = () => {
      if (stream.batchesRead % 8 === 7) {
        stream.batchesRead++;
        throw new Error('UNAVAILABLE');
      }
    };
    await using persistor = start();
    await eventually(() => persistor.counts.written === 30);
    expect(await stored()).toEqual(candles(1, 30));
    expect(stream.resumedAfter).toEqual([undefined, '7', '14', '21', '28']);
    expect(persistor.counts.streamFailures).toBe(4);
  });

  test('begins with what the server retains when its cursor is too old', async () => {
    publish(1, 5);
    {
      await using persistor = start();
      await eventually(() => persistor.counts.written === 5);
    }
    publish(6, 10);
    stream.beforeBatch = (resumeAfter) => {
      if (resumeAfter !== undefined) throw new CursorTooOldError();
    };
    await using persistor = start();
    await eventually(() => persistor.counts.written === 5);
    expect(stream.resumedAfter).toEqual([undefined, '5', undefined]);
    expect(persistor.counts).toMatchObject({ cursorsTooOld: 1, superseded: 5 });
    expect(await stored()).toEqual(candles(1, 10));
  });

  test('leaves out what the database will never take, and says so', async () => {
    publish(1, 3);
    stream.publish({ candles: [{ ...streamedCandle(4), low: 0n }] });
    publish(5, 6);
    await using persistor = start();
    await eventually(() => persistor.counts.written === 5);
    expect(persistor.counts.refused).toBe(1);
    await persistor[Symbol.asyncDispose]();
    expect(await storedCursor()).toBe('6');
  });

  test('does not read on while the database is away and its buffer is full', async () => {
    publish(1, 500);
    const url = new URL(database.url);
    await using proxy = await openStallingProxy(Number(url.port));
    url.port = String(proxy.port);
    await using behindProxy = openDatabase({
      url: url.href,
      program: 'test',
      clock: systemClock,
      logger: silentLogger,
    });
    stream.beforeBatch = () => {
      if (stream.batchesRead === 100) proxy.refuse();
    };
    await using persistor = start({ database: behindProxy, bounds: { bufferRows: 60 } });
    await eventually(() => persistor.counts.databaseFailures > 1);
    const { batchesRead } = stream;
    expect(persistor.uncommittedRows).toBeLessThanOrEqual(60 + 2 * bounds.batchRows);
    expect(batchesRead).toBeLessThan(400);
    await eventually(() => persistor.counts.databaseFailures > 3);
    expect(stream.batchesRead).toBe(batchesRead);
    proxy.accept();
    await eventually(() => persistor.uncommittedRows === 0 && stream.batchesRead === 500);
    await persistor[Symbol.asyncDispose]();
    expect(await stored()).toEqual(candles(1, 500));
  });

  test('stores everything once over connections that are cut again and again', async () => {
    const url = new URL(database.url);
    await using proxy = await openStallingProxy(Number(url.port));
    url.port = String(proxy.port);
    await using behindProxy = openDatabase({
      url: url.href,
      program: 'test',
      clock: systemClock,
      logger: silentLogger,
    });
    await using persistor = start({ database: behindProxy });
    publish(1, 10);
    await eventually(() => persistor.counts.written === 10);
    // At a different byte of what Postgres answers each time, also between commit and answer.
    let cuts = 0;
    proxy.cutAfterAnswers(() => (cuts++ < 15 ? 700 + cuts * 53 : Infinity));
    proxy.cut();
    publish(11, 2_000);
    await eventually(() => stream.batchesRead === 2_000 && persistor.uncommittedRows === 0);
    await persistor[Symbol.asyncDispose]();
    expect(persistor.counts.databaseFailures).toBeGreaterThan(5);
    expect(await stored()).toEqual(candles(1, 2_000));
    expect(await storedCursor()).toBe('2000');
  });

  test('two at once store everything once', async () => {
    publish(1, 1_000);
    await using one = start();
    await using other = start();
    await eventually(() => one.counts.written + other.counts.written === 1_000);
    await eventually(() => one.uncommittedRows + other.uncommittedRows === 0);
    await one[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    expect(await stored()).toEqual(candles(1, 1_000));
    expect(await storedCursor()).toBe('1000');
  });

  test('waits for a database that has not been migrated yet', async () => {
    await database.run((sql) => sql`alter table candle rename to candle_later`);
    await database.run((sql) => sql`alter table candle_1s rename to candle_1s_later`);
    publish(1, 5);
    await using persistor = start();
    await eventually(() => persistor.counts.databaseFailures > 0);
    await database.run((sql) => sql`alter table candle_1s_later rename to candle_1s`);
    await database.run((sql) => sql`alter table candle_later rename to candle`);
    await eventually(() => persistor.counts.written === 5);
  });

  test('ends with the error when there is a bug, instead of trying for ever', async () => {
    publish(1, 1);
    const persistor = start({
      follow: () => {
        throw new TypeError('a bug');
      },
    });
    await expect(persistor.ended).rejects.toThrow('a bug');
  });
});
