import type { Clock } from '../../base/clock.ts';
import { integerField, readFields } from '../control-fields.ts';
import type { Action } from '../controlled.ts';
import type { Frame } from '../frame.ts';
import { boundFields } from './bound.ts';
import type { Bound } from './bound.ts';
import type { Fault } from './fault.ts';
import { filterFields, FrameFilter } from './frame-filter.ts';
import { HeldFrames } from './held-frames.ts';

/** An hour: fills were told again after forty minutes. */
export const maxDelayMs = 3_600_000;

const fields = { ...filterFields, ...boundFields, delayMs: integerField(1, maxDelayMs) };

/** Sends frames later; those that it does not take overtake them. */
export const delay: Action = (body, { faults, clock }) => {
  const values = readFields(body, fields);
  const filter = new FrameFilter(values, faults.random());
  return faults.begin(new Delay(filter, faults.bound(values), values.delayMs, clock));
};

class Delay implements Fault {
  readonly action = 'delay';
  readonly bound: Bound;
  readonly #filter: FrameFilter;
  readonly #delayMs: number;
  readonly #held: HeldFrames;

  constructor(filter: FrameFilter, bound: Bound, delayMs: number, clock: Clock) {
    this.#filter = filter;
    this.bound = bound;
    this.#delayMs = delayMs;
    this.#held = new HeldFrames(delayMs, clock);
  }

  get symbol(): string | undefined {
    return this.#filter.values.symbol;
  }

  shown(): Readonly<Record<string, unknown>> {
    return { ...this.#filter.values, delayMs: this.#delayMs, held: this.#held.size };
  }

  isStillNeeded(): boolean {
    return this.#held.size > 0;
  }

  pass(frame: Frame): readonly Frame[] | undefined {
    if (this.bound.isOver || !this.#filter.takes(frame)) return undefined;
    this.bound.take();
    this.#held.hold(frame);
    return [];
  }

  due(): readonly Frame[] {
    return this.#held.due();
  }

  held(): readonly Frame[] {
    return this.#held.all();
  }
}
