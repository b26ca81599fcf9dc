import type { Micros } from '../base/clock.ts';

/** All timeframes, shortest first. They are Binance's names: 1m is a minute, 1M a month. */
export const timeframes = [
  '1s',
  '1m',
  '3m',
  '5m',
  '15m',
  '30m',
  '1h',
  '2h',
  '4h',
  '6h',
  '8h',
  '12h',
  '1d',
  '3d',
  '1w',
  '1M',
] as const;

/** The length of a candle, aligned in UTC: weeks start on Monday, 3d counts from 1970-01-01. */
export type Timeframe = (typeof timeframes)[number];

const second = 1_000_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** The lengths of those timeframes that have a fixed one: all but the month. */
const lengths: Readonly<Record<Exclude<Timeframe, '1M'>, Micros>> = {
  '1s': second,
  '1m': minute,
  '3m': 3 * minute,
  '5m': 5 * minute,
  '15m': 15 * minute,
  '30m': 30 * minute,
  '1h': hour,
  '2h': 2 * hour,
  '4h': 4 * hour,
  '6h': 6 * hour,
  '8h': 8 * hour,
  '12h': 12 * hour,
  '1d': day,
  '3d': 3 * day,
  '1w': 7 * day,
};

/** 1970-01-01 was a Thursday: the Monday on or before it lies three days earlier. */
const mondayOffset = 3 * day;

export function isTimeframe(text: string): text is Timeframe {
  return (timeframes as readonly string[]).includes(text);
}

/** The open time of the candle that `time` falls into. */
export function openTimeOf(timeframe: Timeframe, time: Micros): Micros {
  if (timeframe === '1M') {
    const date = new Date(Math.floor(time / 1000));
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) * 1000;
  }
  const length = lengths[timeframe];
  if (timeframe === '1w') return Math.floor((time + mondayOffset) / length) * length - mondayOffset;
  return Math.floor(time / length) * length;
}

/** The first instant after the candle that opens at `openTime`. */
export function closeTimeOf(timeframe: Timeframe, openTime: Micros): Micros {
  if (timeframe === '1M') {
    const date = new Date(openTime / 1000);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) * 1000;
  }
  return openTime + lengths[timeframe];
}
