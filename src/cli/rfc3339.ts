import type { Micros } from '../base/clock.ts';
import { microsOf } from '../rpc/messages.ts';

/** Writes a time as RFC 3339 in UTC, as short as exact: "2024-08-08T23:55:00Z", "…:00.25Z". */
export function formatTime(time: Micros): string {
  const seconds = Math.floor(time / 1_000_000);
  const fraction = String(time - seconds * 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/u, '');
  const whole = new Date(seconds * 1000).toISOString().slice(0, -'.000Z'.length);
  return fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`;
}

/** The same of a message's time; "-" where it is not set. */
export function timeOf(time: Parameters<typeof microsOf>[0] | undefined): string {
  return time === undefined ? '-' : formatTime(microsOf(time));
}
