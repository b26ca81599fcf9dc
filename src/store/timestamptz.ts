import type { Micros } from '../base/clock.ts';

// The one codec between times and timestamptz. postgres.js' own goes through Date and drops the
// microseconds without a word.

/** The last microsecond of the year 9999, the latest that Postgres and ISO 8601 write alike. */
const latest = Date.UTC(10_000, 0, 1) * 1000;

const pattern =
  /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?$/u;

/**
 * Writes a time as Postgres reads it: "2026-01-31T12:34:56.000001Z".
 * @throws RangeError for what is not a whole number of microseconds in the years 1970 to 9999
 */
export function formatTimestamp(time: Micros): string {
  if (!Number.isInteger(time) || time < 0 || time >= latest) {
    throw new RangeError(
      `Expected a time in whole microseconds from 1970 to 9999, got ${String(time)}`,
    );
  }
  // A remainder is exact for every number; beyond the safe integers a difference is not.
  const rest = time % 1000;
  const milliseconds = Number.isSafeInteger(time)
    ? (time - rest) / 1000
    : Number(BigInt(time) / 1000n);
  const iso = new Date(milliseconds).toISOString();
  return `${iso.slice(0, 23)}${String(rest).padStart(3, '0')}Z`;
}

/**
 * Reads a time as Postgres writes it with DateStyle ISO, in any time zone.
 * @throws RangeError for other years than 1970 to 9999, for infinity, and for microseconds beyond
 * the year 2255 that a number cannot hold: nothing is rounded
 */
export function parseTimestamp(text: string): Micros {
  const match = pattern.exec(text);
  if (match === null) throw new RangeError(`Expected a timestamptz, got ${JSON.stringify(text)}`);
  const [, year, month, day, hours, minutes, seconds, fraction = '', sign, ahead, aheadMinutes] =
    match;
  const local = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hours),
    Number(minutes),
    Number(seconds),
  );
  const offsetMs = (Number(ahead) * 60 + Number(aheadMinutes ?? 0)) * 60_000;
  const milliseconds = sign === '-' ? local + offsetMs : local - offsetMs;
  const micros = Number(fraction.padEnd(6, '0'));
  const sum = milliseconds * 1000 + micros;
  const exact = Number.isSafeInteger(sum) ? sum : BigInt(milliseconds) * 1000n + BigInt(micros);
  const time = Number(exact);
  const isExact = time === exact || BigInt(time) === exact;
  if (!isExact || time < 0 || Number(year) < 1970) {
    throw new RangeError(`Expected a time from 1970 to 9999 that a number can hold, got ${text}`);
  }
  return time;
}
