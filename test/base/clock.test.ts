import { expect, test } from 'vitest';
import { wallClockOf } from '../../src/base/clock.ts';

const originMs = Date.UTC(2026, 0, 1) + 0.25;

/** A machine whose clocks are moved by hand. */
function aMachine() {
  const machine = { passedMs: 0, offMs: 0 };
  const now = wallClockOf({
    originMs,
    wallMs: () => Math.floor(originMs + machine.passedMs + machine.offMs),
    monotonicMs: () => machine.passedMs,
  });
  /** By how much the clock is off what the time would be without any step, in milliseconds. */
  const off = () => now() / 1000 - originMs - machine.passedMs;
  return { machine, now, off };
}

test('the wall clock is told in microseconds', () => {
  const { machine, now } = aMachine();
  expect(now()).toBe(originMs * 1000);
  machine.passedMs = 0.001;
  expect(now()).toBe(originMs * 1000 + 1);
});

test.each([-3_600_000, -1_500, -102, 102, 1_500, 86_400_000])(
  'a step of %i ms is followed',
  (stepMs) => {
    const { machine, off } = aMachine();
    off();
    machine.passedMs = 10;
    machine.offMs = stepMs;
    // The wall clock itself tells whole milliseconds.
    expect(Math.abs(off() - stepMs)).toBeLessThan(1.001);
    machine.passedMs = 20;
    machine.offMs = 0;
    expect(Math.abs(off())).toBeLessThan(1.001);
  },
);

test('what is corrected by and by is left, so that no microsecond jumps for it', () => {
  const { machine, off } = aMachine();
  for (; machine.passedMs < 1_000; machine.passedMs += 10) {
    machine.offMs = machine.passedMs / 11;
    expect(Math.abs(off())).toBeLessThan(0.001);
  }
});

test('the wall clock is looked at once a millisecond, however often it is asked', () => {
  let looks = 0;
  let passedMs = 0;
  const now = wallClockOf({
    originMs,
    wallMs: () => {
      looks++;
      return originMs + passedMs;
    },
    monotonicMs: () => (passedMs += 0.01),
  });
  for (let frame = 0; frame < 10_000; frame++) now();
  expect(looks).toBeLessThanOrEqual(101);
});
