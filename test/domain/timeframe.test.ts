import { expect, test } from 'vitest';
import { closeTimeOf, openTimeOf, timeframes } from '../../src/domain/timeframe.ts';
import type { Timeframe } from '../../src/domain/timeframe.ts';

const micros = (text: string) => Date.parse(text) * 1000;
const text = (time: number) => new Date(time / 1000).toISOString().replace('.000Z', 'Z');

test.each<[Timeframe, string, string, string]>([
  ['1s', '2026-02-28T23:59:59.999Z', '2026-02-28T23:59:59Z', '2026-03-01T00:00:00Z'],
  ['1m', '2026-02-28T23:59:59.999Z', '2026-02-28T23:59:00Z', '2026-03-01T00:00:00Z'],
  ['15m', '2026-01-01T12:44:59Z', '2026-01-01T12:30:00Z', '2026-01-01T12:45:00Z'],
  ['8h', '2026-01-01T15:59:59Z', '2026-01-01T08:00:00Z', '2026-01-01T16:00:00Z'],
  ['1d', '2024-02-29T12:00:00Z', '2024-02-29T00:00:00Z', '2024-03-01T00:00:00Z'],
  // 3d counts from 1970-01-01: 2026-01-01 is day 20454, a multiple of 3.
  ['3d', '2026-01-03T23:59:59Z', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z'],
  ['3d', '1970-01-03T00:00:00Z', '1970-01-01T00:00:00Z', '1970-01-04T00:00:00Z'],
  // 2026-01-01 is a Thursday.
  ['1w', '2026-01-01T00:00:00Z', '2025-12-29T00:00:00Z', '2026-01-05T00:00:00Z'],
  ['1w', '2026-01-05T00:00:00Z', '2026-01-05T00:00:00Z', '2026-01-12T00:00:00Z'],
  ['1w', '2026-01-04T23:59:59.999Z', '2025-12-29T00:00:00Z', '2026-01-05T00:00:00Z'],
  ['1M', '2024-02-29T23:59:59.999Z', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z'],
  ['1M', '2025-12-31T23:59:59.999Z', '2025-12-01T00:00:00Z', '2026-01-01T00:00:00Z'],
])('the %s candle of %s spans %s to %s', (timeframe, time, open, close) => {
  const openTime = openTimeOf(timeframe, micros(time));
  expect(text(openTime)).toBe(open);
  expect(text(closeTimeOf(timeframe, openTime))).toBe(close);
});

test.each([...timeframes])('%s candles tile time without overlap', (timeframe) => {
  let openTime = openTimeOf(timeframe, micros('2023-12-30T00:00:00Z'));
  for (let count = 0; count < 200; count++) {
    const closeTime = closeTimeOf(timeframe, openTime);
    expect(openTimeOf(timeframe, openTime)).toBe(openTime);
    expect(openTimeOf(timeframe, closeTime - 1)).toBe(openTime);
    expect(openTimeOf(timeframe, closeTime)).toBe(closeTime);
    openTime = closeTime;
  }
});
