import { expect, test } from 'vitest';
import { LogLimiter } from '../../src/base/log-limiter.ts';
import { TwinClock } from '../support/twin-clock.ts';

test('of each kind one is due in a period, and it says how many were suppressed', async () => {
  const clock = new TwinClock();
  const limiter = new LogLimiter(clock, 60_000);
  expect(limiter.due('a')).toEqual({ suppressed: 0 });
  for (let time = 0; time < 1000; time++) expect(limiter.due('a')).toBeUndefined();
  expect(limiter.due('b')).toEqual({ suppressed: 0 });
  await clock.advance(59_999);
  expect(limiter.due('a')).toBeUndefined();
  await clock.advance(1);
  expect(limiter.due('a')).toEqual({ suppressed: 1001 });
  expect(limiter.due('a')).toBeUndefined();
});

test('a thousand kinds are remembered, the oldest is forgotten first', () => {
  const limiter = new LogLimiter(new TwinClock(), 60_000);
  for (let kind = 0; kind <= 1000; kind++) limiter.due(String(kind));
  expect(limiter.due('1')).toBeUndefined();
  expect(limiter.due('0')).toEqual({ suppressed: 0 });
});
