import type { Clock, Micros, Timer } from '../../src/base/clock.ts';

type PendingTimer = { readonly at: Micros; readonly callback: () => void };

/** A clock that stands still until it is moved; timers fire in order while it moves. */
export class TwinClock implements Clock {
  #now: Micros;
  readonly #start: Micros;
  #timers: PendingTimer[] = [];

  constructor(start: Micros = Date.UTC(2026, 0, 1) * 1000) {
    this.#now = start;
    this.#start = start;
  }

  now(): Micros {
    return this.#now;
  }

  monotonicMs(): number {
    return (this.#now - this.#start) / 1000;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { at: this.#now + Math.max(0, Math.round(delayMs * 1000)), callback };
    this.#timers.push(timer);
    return {
      [Symbol.dispose]: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** Timers that are set and have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Moves to `time`, firing what is due on the way at its own time. */
  moveTo(time: Micros): void {
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= time).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = time;
  }

  /** Moves on by `durationMs`, letting promises settle between the steps of `stepMs`. */
  async advance(durationMs: number, stepMs = durationMs): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += stepMs) {
      this.moveTo(this.#now + Math.min(stepMs, durationMs - passed) * 1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
