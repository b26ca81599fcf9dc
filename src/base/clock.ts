/** Microseconds since 1970-01-01 UTC: an integer, exact in a number until the year 2255. */
export type Micros = number;

/** A timer that has been set; disposing it cancels it. */
export type Timer = Disposable;

/**
 * The only door to time. Programs use the system's; tests and replay have twins that are moved by
 * hand, so that nothing else may read a clock or set a timer.
 */
export interface Clock {
  /** The wall clock's time. It may jump: never measure a duration with it. */
  now(): Micros;
  /** Milliseconds since some fixed moment; never jumps. */
  monotonicMs(): number;
  /** Calls `callback` once, after `delayMs`. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

/** Node's longest timeout; a longer one would fire at once. */
const longestTimeoutMs = 2 ** 31 - 1;

/** What a machine tells of the time, in milliseconds. */
export type TimeSource = {
  /** The wall clock when `monotonicMs` was 0. */
  readonly originMs: number;
  /** Whole milliseconds. It is set now and then. */
  readonly wallMs: () => number;
  /** Fractions, too. It stands still while the machine is suspended. */
  readonly monotonicMs: () => number;
};

/** What is further off is followed: below it may lie corrections by and by, and our own rounding. */
const largestOffsetMs = 100;
/** The wall clock is looked at so often at most: many frames may come within a millisecond. */
const lookPeriodMs = 1;

/**
 * The wall clock in microseconds, which it does not tell by itself: what has passed since it was
 * looked at. When it is set, or the machine was suspended, that is followed.
 */
export function wallClockOf({ originMs, wallMs, monotonicMs }: TimeSource): () => Micros {
  let zeroMs = originMs;
  let lookedMs = -Infinity;
  return () => {
    const passedMs = monotonicMs();
    if (passedMs - lookedMs >= lookPeriodMs) {
      lookedMs = passedMs;
      const wallZeroMs = wallMs() - passedMs;
      if (Math.abs(wallZeroMs - zeroMs) > largestOffsetMs) zeroMs = wallZeroMs;
    }
    return Math.round((zeroMs + passedMs) * 1000);
  };
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: wallClockOf({
    originMs: performance.timeOrigin,
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
  }),
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, callback) => {
    const timeout = setTimeout(callback, Math.min(delayMs, longestTimeoutMs));
    return { [Symbol.dispose]: () => clearTimeout(timeout) };
  },
};

/**
 * Waits for `delayMs`.
 * @throws the signal's reason when it is aborted before that
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = () => {
      timer[Symbol.dispose]();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Calls `callback` every `periodMs` until disposed; the next call is set after the last one ended. */
export function repeat(clock: Clock, periodMs: number, callback: () => void): Timer {
  let timer: Timer;
  let isStopped = false;
  const set = () => {
    timer = clock.setTimer(periodMs, () => {
      callback();
      if (!isStopped) set();
    });
  };
  set();
  return {
    [Symbol.dispose]: () => {
      isStopped = true;
      timer[Symbol.dispose]();
    },
  };
}
