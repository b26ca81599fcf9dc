import type { Clock, Micros } from '../../src/base/clock.ts';

/** A clock that starts at `start` and runs `speed` times as fast as the machine's. */
export function fastClock(start: Micros, speed: number): Clock {
  const begun = performance.now();
  const passedMs = () => (performance.now() - begun) * speed;
  return {
    now: () => start + Math.round(passedMs() * 1000),
    monotonicMs: passedMs,
    setTimer: (delayMs, callback) => {
      const timeout = setTimeout(callback, delayMs / speed);
      return { [Symbol.dispose]: () => clearTimeout(timeout) };
    },
  };
}
