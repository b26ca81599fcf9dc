import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { ProgressBar } from '../../src/cli/progress-bar.ts';
import { TwinClock } from '../support/twin-clock.ts';

test.each([
  [0, '░'.repeat(30), '  0 %'],
  [0.5, '█'.repeat(15) + '░'.repeat(15), ' 50 %'],
  [1, '█'.repeat(30), '100 %'],
  // More may have come than there was when it was counted.
  [9, '█'.repeat(30), '100 %'],
])('a part of %d is shown within the bar', (part, bar, percent) => {
  const stream = Object.assign(new PassThrough(), { isTTY: true });
  new ProgressBar(stream, new TwinClock()).show(part);
  expect(String(stream.read())).toBe(`\r${bar} ${percent}`);
});
