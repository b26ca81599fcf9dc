import { expect, test } from 'vitest';
import { stopOf } from '../../src/exchange/stop.ts';
import { noon } from '../support/builders.ts';

const options = { stopMs: 600_000, now: noon };
const inThirtySeconds = new Date(noon / 1000 + 30_000).toUTCString();

test.each([
  [200, undefined, undefined],
  [404, '10', undefined],
  [500, undefined, undefined],
  [429, undefined, 60_000],
  [429, '7', 7000],
  [429, '0', 1000],
  [429, inThirtySeconds, 30_000],
  [429, 'soon', 60_000],
  [418, undefined, 600_000],
  [418, '259200', 259_200_000],
  [418, '999999999', 259_200_000],
  [403, undefined, 600_000],
  [451, undefined, 600_000],
])('HTTP %s with Retry-After %s stops for %s ms', (status, retryAfter, durationMs) => {
  expect(stopOf({ status, retryAfter }, options)?.durationMs).toBe(durationMs);
});
