import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/logger.ts';
import { timeframes } from '../../../src/domain/timeframe.ts';
import { CandleWriter } from '../../../src/store/candle/candle-store.ts';
import { partitionNamed, partitionOf } from '../../../src/store/candle/partition.ts';
import { CandlePartitions } from '../../../src/store/candle/partitions.ts';
import { aCandle } from '../../support/a-candle.ts';
import { openTestDatabase } from '../../support/postgres.ts';

const day = 86_400_000_000;

test.each([
  ['1s', Date.UTC(2026, 1, 28, 23, 59, 59), 'candle_1s_20260228'],
  ['1s', Date.UTC(1970, 0, 1), 'candle_1s_19700101'],
  ['1m', Date.UTC(2024, 1, 29), 'candle_1m_202402'],
  ['1M', Date.UTC(2024, 11, 1), 'candle_1mo_202412'],
  ['1w', Date.UTC(9999, 11, 31), 'candle_1w_999912'],
] as const)('a %s candle that opens at %d is in %s', (timeframe, milliseconds, name) => {
  expect(partitionOf(timeframe, milliseconds * 1000).name).toBe(name);
});

test('every time lies in the partition that is named for it', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...timeframes),
      fc.integer({ min: 0, max: 4_000_000_000 }),
      (timeframe, seconds) => {
        const partition = partitionOf(timeframe, seconds * 1_000_000);
        expect(partition.from).toBeLessThanOrEqual(seconds * 1_000_000);
        expect(partition.to).toBeGreaterThan(seconds * 1_000_000);
        expect(partitionNamed(partition.name)).toEqual(partition);
      },
    ),
  );
});

test.each(['candle_1s', 'candle_2s_20260101', 'candle_1m_20260101', 'candle_1s_20260231', 'gap'])(
  '%s is not the name of a partition',
  (name) => {
    expect(partitionNamed(name)).toBeUndefined();
  },
);

describe('partitions', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeEach(async () => {
    database = await openTestDatabase();
  });
  afterEach(() => database[Symbol.asyncDispose]());

  const openPartitions = (retention = {}) =>
    new CandlePartitions(database, retention, silentLogger);
  const write = (partitions: CandlePartitions, openTime: number) =>
    new CandleWriter(database, partitions).writeBatch({
      candles: [aCandle({ timeframe: '1s', openTime })],
      gaps: [],
    });
  const names = async (parent: string) => {
    const rows = await database.run(
      (sql) => sql<{ name: string }>`
        select inhrelid::regclass::text as name from pg_inherits
        where inhparent = ${parent}::regclass order by 1`,
    );
    return rows.map(({ name }) => name);
  };
  const today = async () => {
    const rows = await database.run((sql) => sql<{ now: number }>`select now()`);
    return rows[0]?.now ?? 0;
  };

  test('are made for any time that a batch brings', async () => {
    const partitions = openPartitions();
    await write(partitions, Date.UTC(2020, 1, 29) * 1000);
    await write(partitions, Date.UTC(2200, 11, 31) * 1000);
    expect(await names('candle_1s')).toEqual(['candle_1s_20200229', 'candle_1s_22001231']);
  });

  test('of hundreds of months in one batch are all made', async () => {
    const candles = Array.from({ length: 250 }, (_, index) =>
      aCandle({ timeframe: '1M', openTime: Date.UTC(1970, index, 1) * 1000 }),
    );
    const writer = new CandleWriter(database, openPartitions());
    expect(await writer.writeBatch({ candles, gaps: [] })).toMatchObject({ written: 250 });
    expect(await names('candle_1mo')).toHaveLength(250);
  });

  test('of the coming days are attached ahead, for all timeframes', async () => {
    const partitions = openPartitions();
    await partitions.maintain();
    const now = await today();
    for (const timeframe of timeframes) {
      for (const days of [0, 1, 2]) {
        const { name } = partitionOf(timeframe, now + days * day);
        expect(await names(name.replace(/_\d+$/u, ''))).toContain(name);
      }
    }
  });

  test('beyond their retention are dropped, and their candles not stored again', async () => {
    const now = await today();
    const before = openPartitions();
    for (const days of [0, 1, 2, 3, 4]) await write(before, now - days * day);

    const partitions = openPartitions({ '1s': 2 });
    await partitions.maintain();
    const kept = [0, 1, 2].map((days) => partitionOf('1s', now - days * day).name);
    expect((await names('candle_1s')).filter((name) => name <= (kept[0] ?? ''))).toEqual(
      kept.toReversed(),
    );
    expect(await write(partitions, now - 3 * day)).toMatchObject({ written: 0, expired: 1 });
    expect(await write(partitions, now - 1 * day)).toMatchObject({ superseded: 1, expired: 0 });
  });

  test('that somebody else dropped meanwhile are made again', async () => {
    const partitions = openPartitions();
    const time = Date.UTC(2026, 0, 1) * 1000;
    await write(partitions, time);
    await database.run((sql) => sql`drop table candle_1s_20260101`);
    expect(await write(partitions, time)).toMatchObject({ written: 1 });
  });

  test('are made once when many need them at once', async () => {
    const time = Date.UTC(2026, 0, 1) * 1000;
    const results = await Promise.all([1, 2, 3, 4].map(() => write(openPartitions(), time)));
    expect(results.reduce((sum, { written }) => sum + written, 0)).toBe(1);
  });

  test('that cannot be dropped for now are dropped the next time', async () => {
    const now = await today();
    await write(openPartitions(), now - 9 * day);
    const { name } = partitionOf('1s', now - 9 * day);
    const partitions = openPartitions({ '1s': 7 });
    const release = Promise.withResolvers<void>();
    const isHeld = Promise.withResolvers<void>();
    const reader = database.transaction(async (sql) => {
      await sql.text(`lock table ${name} in access share mode`);
      isHeld.resolve();
      await release.promise;
    });
    await isHeld.promise;
    await partitions.maintain();
    expect(await names('candle_1s')).toContain(name);
    release.resolve();
    await reader;
    await partitions.maintain();
    expect(await names('candle_1s')).not.toContain(name);
  });
});
