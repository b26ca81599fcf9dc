import { expect, test } from 'vitest';
import { Allowance } from '../../src/exchange/allowance.ts';
import { TwinClock } from '../support/twin-clock.ts';

test('no window ever holds more than the limit', () => {
  const clock = new TwinClock();
  const allowance = new Allowance(clock, { limit: 300, windowMs: 300_000 });
  const taken: number[] = [];
  while (taken.length < 1000) {
    const waitMs = allowance.take();
    if (waitMs === 0) taken.push(clock.monotonicMs());
    // Someone in a hurry: comes again every 100 ms, and as soon as it may.
    clock.moveTo(clock.now() + 1000 * (waitMs === 0 ? 100 : waitMs));
  }
  const most = taken.map((from) => taken.filter((at) => at >= from && at < from + 300_000).length);
  expect(Math.max(...most)).toBe(300);
});

test('weights count, and one that is larger than the limit goes alone', () => {
  const clock = new TwinClock();
  const allowance = new Allowance(clock, { limit: 10, windowMs: 1000 });
  expect(allowance.take(6)).toBe(0);
  expect(allowance.take(6)).toBe(1000);
  expect(allowance.take(4)).toBe(0);
  clock.moveTo(clock.now() + 1_000_000);
  expect(allowance.take(50)).toBe(0);
  expect(allowance.take(1)).toBe(1000);
});

test('nothing is allowed while a stop is in force, and a shorter one does not end it', () => {
  const clock = new TwinClock();
  const allowance = new Allowance(clock, { limit: 10, windowMs: 1000 });
  allowance.stop({ durationMs: 5000, reason: 'banned' });
  allowance.stop({ durationMs: 1000, reason: 'too fast' });
  clock.moveTo(clock.now() + 4_999_000);
  expect(allowance.take()).toBe(1);
  expect(allowance.currentStop).toEqual({ durationMs: 1, reason: 'banned' });
  clock.moveTo(clock.now() + 1000);
  expect(allowance.currentStop).toBeUndefined();
  expect(allowance.take()).toBe(0);
});
