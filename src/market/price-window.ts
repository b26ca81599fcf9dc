import type { Micros } from '../base/clock.ts';
import { Refusal } from '../domain/refusal.ts';

/** A span of exchange time: from the first instant to the one after the last. */
export type Window = { readonly from: Micros; readonly to: Micros };

const second: Micros = 1_000_000;
const minute = 60 * second;
const day = 1440 * minute;

/** The period that is meant where none is named. */
export const defaultPeriod: Micros = minute;

/** Seconds are stored for 7 days; whatever is older is known by the minute. */
const longestBySecond: Micros = 7 * day;
const longest: Micros = 30 * day;

/**
 * Checks how far back statistics are asked for.
 * @throws Refusal naming the field and what is allowed
 */
export function checkPeriod(field: string, period: Micros): void {
  const step = period > longestBySecond ? minute : second;
  if (period >= second && period <= longest && period % step === 0) return;
  throw new Refusal(
    'invalid',
    `${field}: expected whole seconds from 1s to 30d, beyond 7d whole minutes, got ${period / second}s`,
    { field },
  );
}

/**
 * The window of a period when the exchange's clock shows `now`: it ends with the running second, or
 * with the running minute where it is by the minute.
 */
export function windowOf(period: Micros, now: Micros): Window {
  const step = period > longestBySecond ? minute : second;
  const to = (Math.floor(now / step) + 1) * step;
  return { from: to - period, to };
}
