import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { Micros } from '../base/clock.ts';
import { Refusal } from '../domain/refusal.ts';
import { microsOf } from './messages.ts';

/** Up to here microseconds are exact in a number. */
const latestSecond = 9_007_199_254n;

/**
 * A time that decides on money: nothing of it is rounded away.
 * @throws Refusal naming the field
 */
export function exactMicros(field: string, timestamp: Timestamp): Micros {
  const { seconds, nanos } = timestamp;
  if (seconds < 0n || seconds > latestSecond || nanos < 0 || nanos > 999_999_999) {
    throw new Refusal('invalid', `${field}: expected a time from 1970 to 2255`, { field });
  }
  if (nanos % 1000 !== 0) {
    throw new Refusal('invalid', `${field}: expected whole microseconds`, { field });
  }
  return microsOf(timestamp);
}
