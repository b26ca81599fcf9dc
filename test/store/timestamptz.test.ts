import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatTimestamp, parseTimestamp } from '../../src/store/timestamptz.ts';
import { openTestDatabase } from '../support/postgres.ts';

const latest = Date.UTC(9999, 11, 31, 23, 59, 59) * 1000;

describe('the timestamptz codec', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  test.each([
    [0, '1970-01-01 00:00:00+00'],
    [1, '1970-01-01 00:00:00.000001+00'],
    [1_735_689_599_999_999, '2024-12-31 23:59:59.999999+00'],
    [951_782_400_000_010, '2000-02-29 00:00:00.00001+00'],
    [Number.MAX_SAFE_INTEGER, '2255-06-05 23:47:34.740991+00'],
    [latest, '9999-12-31 23:59:59+00'],
  ])('%d microseconds are %s for Postgres, both ways', async (time, text) => {
    const rows = await database.run(
      (sql) => sql<{ time: number; text: string }>`
        select ${formatTimestamp(time)}::timestamptz as time,
               ${formatTimestamp(time)}::timestamptz::text as text`,
    );
    expect(rows[0]).toEqual({ time, text });
  });

  test('any microsecond of the years 1970 to 9999 that a number can hold comes back from Postgres', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.maxSafeNat().map(withinYears), { minLength: 1, maxLength: 500 }),
        async (times) => {
          const literal = `{${times.map(formatTimestamp).join(',')}}`;
          const rows = await database.run(
            (sql) => sql<{ time: number }>`select unnest(${literal}::timestamptz[]) as time`,
          );
          expect(rows.map(({ time }) => time)).toEqual(times);
        },
      ),
      { numRuns: 20 },
    );
  });

  test.each([
    ['2026-01-01 02:00:00.5+02', Date.UTC(2026, 0, 1) * 1000 + 500_000],
    ['2025-12-31 18:30:00.000001-05:30', Date.UTC(2026, 0, 1) * 1000 + 1],
  ])('%s of another time zone is read right', (text, time) => {
    expect(parseTimestamp(text)).toBe(time);
  });

  test.each([
    'infinity',
    '-infinity',
    '',
    '2026-01-01',
    '2026-01-01T00:00:00Z',
    '1969-12-31 23:59:59.999999+00',
    '0044-03-15 00:00:00+00 BC',
    '10000-01-01 00:00:00+00',
    '9999-12-31 23:59:59.999999+00',
  ])('%j is refused, not rounded', (text) => {
    expect(() => parseTimestamp(text)).toThrow(RangeError);
  });

  test.each([Number.NaN, Infinity, -1, 0.5, 1e18, Date.UTC(10_000, 0, 1) * 1000])(
    'the time %d is refused',
    (time) => {
      expect(() => formatTimestamp(time)).toThrow(RangeError);
    },
  );
});

/** Spreads the integers over all years; beyond 2255 only some microseconds are numbers. */
function withinYears(integer: number): number {
  return integer % 2 === 0 ? integer : (integer * 28) % latest;
}
