import type { Clock } from './clock.ts';

/** Keys that are remembered; the oldest is forgotten, and may then be logged early. */
const keyLimit = 1000;

/** Keeps a log quiet where something may fail a thousand times a second for the same cause. */
export class LogLimiter {
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #logged = new Map<string, { atMs: number; suppressed: number }>();

  constructor(clock: Clock, periodMs: number) {
    this.#clock = clock;
    this.#periodMs = periodMs;
  }

  /**
   * Whether it is time to log something of this kind again: how many were suppressed since the last
   * time, or undefined when this one is to be suppressed too.
   */
  due(key: string): { readonly suppressed: number } | undefined {
    const nowMs = this.#clock.monotonicMs();
    const last = this.#logged.get(key);
    if (last !== undefined && nowMs - last.atMs < this.#periodMs) {
      last.suppressed++;
      return undefined;
    }
    this.#logged.delete(key);
    this.#logged.set(key, { atMs: nowMs, suppressed: 0 });
    if (this.#logged.size > keyLimit) {
      for (const oldest of this.#logged.keys()) {
        this.#logged.delete(oldest);
        break;
      }
    }
    return { suppressed: last?.suppressed ?? 0 };
  }
}
