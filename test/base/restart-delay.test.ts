import { expect, test } from 'vitest';
import { RestartDelay } from '../../src/base/restart-delay.ts';
import { TwinClock } from '../support/twin-clock.ts';

/** What is waited after each end of a program that runs for so many milliseconds each time. */
async function delaysOf(livesMs: readonly number[]): Promise<number[]> {
  const clock = new TwinClock();
  const delay = new RestartDelay(clock, () => 0.999_999);
  const delays: number[] = [];
  for (const lifeMs of livesMs) {
    delay.started();
    await clock.advance(lifeMs, 10_000);
    delays.push(delay.afterEnd());
  }
  return delays;
}

test('who ends right after each start is started ever less often, up to a bound', async () => {
  const delays = await delaysOf(Array.from({ length: 8 }, () => 10));
  expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test('who ran for a minute is started at once again', async () => {
  expect(await delaysOf([10, 10, 59_000, 60_000, 10])).toEqual([1_000, 2_000, 4_000, 1_000, 2_000]);
});
