import { InvalidArgumentError } from 'commander';
import { isTimeframe, timeframes } from '../domain/timeframe.ts';
import type { Timeframe } from '../domain/timeframe.ts';

/** Reads a timeframe. @throws InvalidArgumentError with the one that was probably meant */
export function parseTimeframe(text: string): Timeframe {
  if (isTimeframe(text)) return text;
  const meant = probableTimeframe(text);
  const hint = meant === undefined ? '' : ` (Did you mean ${meant}?)`;
  throw new InvalidArgumentError(`Expected one of ${timeframes.join(' ')}.${hint}`);
}

const second = 1;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** How people write units. 1m is a minute and 1M a month, so a lone M is not in the table. */
const units: readonly (readonly [pattern: RegExp, seconds: number])[] = [
  [/^s(ec(ond)?s?)?$/u, second],
  [/^m(in(ute)?s?)?$/u, minute],
  [/^h((ou)?rs?)?$/u, hour],
  [/^d(ays?)?$/u, day],
  [/^w((ee)?ks?)?$/u, 7 * day],
];

/** 5min, 60s, 1H, m5 and "1 month" are all clear enough. */
function probableTimeframe(text: string): Timeframe | undefined {
  const parts = /^(?<count>\d{1,6})?[\s_-]*(?<unit>\p{L}+)[\s_-]*(?<after>\d{1,6})?$/u.exec(
    text.trim(),
  )?.groups;
  if (parts?.['unit'] === undefined) return undefined;
  const unit = parts['unit'].toLowerCase();
  const count = Number(parts['count'] ?? parts['after'] ?? 1);
  if (/^mo(n(th)?s?)?$/u.test(unit)) return count === 1 ? '1M' : undefined;
  const seconds = units.find(([pattern]) => pattern.test(unit))?.[1];
  if (seconds === undefined) return undefined;
  return timeframes.find((timeframe) => secondsOf(timeframe) === count * seconds);
}

function secondsOf(timeframe: Timeframe): number | undefined {
  const seconds = units.find(([pattern]) => pattern.test(timeframe.slice(-1)))?.[1];
  return seconds === undefined ? undefined : Number.parseInt(timeframe, 10) * seconds;
}
