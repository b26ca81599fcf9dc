import type { Clock } from '../../base/clock.ts';
import { integerField, readFields, withDefault } from '../control-fields.ts';
import type { Action } from '../controlled.ts';
import type { Frame } from '../frame.ts';
import { boundFields } from './bound.ts';
import type { Bound } from './bound.ts';
import { maxDelayMs } from './delay.ts';
import type { Fault } from './fault.ts';
import { filterFields, FrameFilter } from './frame-filter.ts';
import { HeldFrames } from './held-frames.ts';

/** A frame sent a thousand times more makes fifty frames a second a blast of fifty thousand. */
const maxCopies = 1_000;

const fields = {
  ...filterFields,
  ...boundFields,
  copies: withDefault(integerField(1, maxCopies), 1),
  afterMs: withDefault(integerField(0, maxDelayMs), 0),
};

/** Sends frames again, at once or later. */
export const duplicate: Action = (body, { faults, clock }) => {
  const values = readFields(body, fields);
  const filter = new FrameFilter(values, faults.random());
  return faults.begin(new Duplicate(filter, faults.bound(values), values, clock));
};

class Duplicate implements Fault {
  readonly action = 'duplicate';
  readonly bound: Bound;
  readonly #filter: FrameFilter;
  readonly #values: { readonly copies: number; readonly afterMs: number };
  readonly #later: HeldFrames;

  constructor(
    filter: FrameFilter,
    bound: Bound,
    values: { readonly copies: number; readonly afterMs: number },
    clock: Clock,
  ) {
    this.#filter = filter;
    this.bound = bound;
    this.#values = values;
    this.#later = new HeldFrames(values.afterMs, clock);
  }

  get symbol(): string | undefined {
    return this.#filter.values.symbol;
  }

  shown(): Readonly<Record<string, unknown>> {
    const { copies, afterMs } = this.#values;
    return { ...this.#filter.values, copies, afterMs, held: this.#later.size };
  }

  isStillNeeded(): boolean {
    return this.#later.size > 0;
  }

  pass(frame: Frame): readonly Frame[] | undefined {
    if (this.bound.isOver || !this.#filter.takes(frame)) return undefined;
    this.bound.take();
    const copies = Array.from({ length: this.#values.copies }, () => frame);
    if (this.#values.afterMs === 0) return [frame, ...copies];
    for (const copy of copies) this.#later.hold(copy);
    return undefined;
  }

  due(): readonly Frame[] {
    return this.#later.due();
  }

  held(): readonly Frame[] {
    return this.#later.all();
  }
}
