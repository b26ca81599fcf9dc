import type { Clock } from '../../base/clock.ts';
import type { Frame } from '../frame.ts';

/** Frames held by one fault; beyond that the oldest go out early. */
const maxHeld = 100_000;

/** Frames that go out a fixed time after they were held, in their order. */
export class HeldFrames {
  readonly #delayMs: number;
  readonly #clock: Clock;
  #frames: { readonly frame: Frame; readonly dueMs: number }[] = [];

  constructor(delayMs: number, clock: Clock) {
    this.#delayMs = delayMs;
    this.#clock = clock;
  }

  get size(): number {
    return this.#frames.length;
  }

  hold(frame: Frame): void {
    this.#frames.push({ frame, dueMs: this.#clock.monotonicMs() + this.#delayMs });
  }

  /** Gives up those whose time has come, and those beyond the bound. */
  due(): readonly Frame[] {
    const now = this.#clock.monotonicMs();
    const firstToStay = this.#frames.findIndex(({ dueMs }) => dueMs > now);
    const past = firstToStay < 0 ? this.#frames.length : firstToStay;
    return this.#give(Math.max(past, this.#frames.length - maxHeld));
  }

  /** Gives up all. */
  all(): readonly Frame[] {
    return this.#give(this.#frames.length);
  }

  #give(count: number): readonly Frame[] {
    return this.#frames.splice(0, count).map(({ frame }) => frame);
  }
}
