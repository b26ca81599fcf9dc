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

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
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
