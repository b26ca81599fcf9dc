import { backoffDelayMs } from './backoff.ts';
import type { Clock } from './clock.ts';

/** A first crash is mended at once to the eye; a program that always crashes costs little. */
const backoff = { minimumMs: 500, maximumMs: 30_000 };
/** Who ran this long was well: its next crash is a first one. */
const healthyAfterMs = 60_000;

/** How long is waited until a program that ended by itself is started again. */
export class RestartDelay {
  readonly #clock: Clock;
  /** Gives numbers in [0, 1). */
  readonly #random: () => number;
  #startedAtMs = 0;
  #failures = 0;

  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** To be told at each start. */
  started(): void {
    this.#startedAtMs = this.#clock.monotonicMs();
  }

  /** Milliseconds: the more, the more often in a row it did not run for long. */
  afterEnd(): number {
    const wasWell = this.#clock.monotonicMs() - this.#startedAtMs >= healthyAfterMs;
    if (wasWell) this.#failures = 0;
    return Math.round(backoffDelayMs(this.#failures++, backoff, this.#random));
  }
}
