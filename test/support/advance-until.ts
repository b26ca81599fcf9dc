import type { TwinClock } from './twin-clock.ts';

/** Moves the clock on, a tenth of a second at a time, until the promise is settled. */
export async function advanceUntil<T>(
  clock: TwinClock,
  promise: Promise<T>,
  beforeStep: () => void = () => {},
): Promise<T> {
  const state = { isOver: false };
  const end = () => {
    state.isOver = true;
  };
  void promise.then(end, end);
  while (!state.isOver) {
    beforeStep();
    await clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return promise;
}
