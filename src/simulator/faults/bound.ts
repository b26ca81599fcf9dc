import type { Clock } from '../../base/clock.ts';
import { integerField, optional } from '../control-fields.ts';

/** Times that one fault may act: a million trades is the largest gap that is tried. */
const maxCount = 1_000_000;
/** A week: longer than any run of tests. */
export const maxDurationMs = 7 * 24 * 3_600_000;

/** The fields of every fault that stays in force for a while. */
export const boundFields = {
  count: optional(integerField(1, maxCount)),
  durationMs: optional(integerField(1, maxDurationMs)),
};

export type BoundLimits = {
  readonly count?: number | undefined;
  readonly durationMs?: number | undefined;
};

/** How long a fault is in force: so many times, so long, or until it is cleared. */
export class Bound {
  readonly #clock: Clock;
  readonly #endMs: number | undefined;
  #left: number | undefined;
  #acted = 0;

  constructor({ count, durationMs }: BoundLimits, clock: Clock) {
    this.#clock = clock;
    this.#left = count;
    this.#endMs = durationMs === undefined ? undefined : clock.monotonicMs() + durationMs;
  }

  get isOver(): boolean {
    return this.#left === 0 || this.isPast;
  }

  /** Whether its time is over, however often it may still act. */
  get isPast(): boolean {
    return this.#endMs !== undefined && this.#clock.monotonicMs() >= this.#endMs;
  }

  /** How often the fault has acted. */
  get acted(): number {
    return this.#acted;
  }

  /** Counts one act; false, without counting it, when the fault is no longer in force. */
  take(): boolean {
    if (this.isOver) return false;
    this.#acted += 1;
    if (this.#left !== undefined) this.#left -= 1;
    return true;
  }

  shown(): Readonly<Record<string, number>> {
    return {
      acted: this.#acted,
      ...(this.#left === undefined ? {} : { left: this.#left }),
      ...(this.#endMs === undefined
        ? {}
        : { leftMs: Math.max(0, Math.ceil(this.#endMs - this.#clock.monotonicMs())) }),
    };
  }
}
