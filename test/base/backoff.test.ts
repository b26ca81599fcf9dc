import { expect, test } from 'vitest';
import { backoffDelayMs } from '../../src/base/backoff.ts';

const bounds = { minimumMs: 500, maximumMs: 30_000 };
const almostOne = () => 1 - Number.EPSILON;

test('the ceiling of a wait doubles with each attempt up to the maximum', () => {
  const ceilings = [0, 1, 2, 5, 6, 2000].map((attempt) =>
    Math.round(backoffDelayMs(attempt, bounds, almostOne)),
  );
  expect(ceilings).toEqual([1000, 2000, 4000, 30_000, 30_000, 30_000]);
});

test('the luckiest wait is still the minimum', () => {
  for (const attempt of [0, 3, 2000]) expect(backoffDelayMs(attempt, bounds, () => 0)).toBe(500);
});

test('equal bounds leave no room for chance', () => {
  expect(backoffDelayMs(9, { minimumMs: 7, maximumMs: 7 }, () => 0.5)).toBe(7);
});
