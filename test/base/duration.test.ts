import { expect, test } from 'vitest';
import { parseDuration } from '../../src/base/duration.ts';

test.each([
  ['300s', 300_000_000_000n],
  ['0.5s', 500_000_000n],
  ['5m', 300_000_000_000n],
  ['1h30m', 5_400_000_000_000n],
  ['1d', 86_400_000_000_000n],
  ['1w', 604_800_000_000_000n],
  ['250ms', 250_000_000n],
  ['-1s', -1_000_000_000n],
  ['0.000000001s', 1n],
])('%s is %s ns', (text, nanos) => {
  expect(parseDuration(text)).toBe(nanos);
});

test.each(['', 's', '5', '5 m', '1.s', '1e3s', '5M', '0.1ns', '١s', `${'9'.repeat(40)}s`])(
  '"%s" is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);
