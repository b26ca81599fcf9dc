import type { Clock } from '../../base/clock.ts';
import { integerField, readFields, withDefault } from '../control-fields.ts';
import type { Action } from '../controlled.ts';
import type { Frame } from '../frame.ts';
import type { Random } from '../random.ts';
import { boundFields } from './bound.ts';
import type { Bound } from './bound.ts';
import type { Fault } from './fault.ts';
import { filterFields, FrameFilter } from './frame-filter.ts';

const maxWindow = 1_000;
const maxHoldMs = 60_000;

const fields = {
  ...filterFields,
  ...boundFields,
  window: integerField(2, maxWindow),
  holdMs: withDefault(integerField(1, maxHoldMs), 1_000),
};

/** Collects frames until there are `window`, or for `holdMs`, and sends them in another order. */
export const reorder: Action = (body, { faults, clock }) => {
  const values = readFields(body, fields);
  const random = faults.random();
  const filter = new FrameFilter(values, random);
  const { window, holdMs } = values;
  return faults.begin(new Reorder(filter, faults.bound(values), { window, holdMs }, random, clock));
};

class Reorder implements Fault {
  readonly action = 'reorder';
  readonly bound: Bound;
  readonly #filter: FrameFilter;
  readonly #limits: { readonly window: number; readonly holdMs: number };
  readonly #random: Random;
  readonly #clock: Clock;
  #frames: Frame[] = [];
  #firstHeldMs = 0;

  constructor(
    filter: FrameFilter,
    bound: Bound,
    limits: { readonly window: number; readonly holdMs: number },
    random: Random,
    clock: Clock,
  ) {
    this.#filter = filter;
    this.bound = bound;
    this.#limits = limits;
    this.#random = random;
    this.#clock = clock;
  }

  get symbol(): string | undefined {
    return this.#filter.values.symbol;
  }

  shown(): Readonly<Record<string, unknown>> {
    return { ...this.#filter.values, ...this.#limits, held: this.#frames.length };
  }

  isStillNeeded(): boolean {
    return this.#frames.length > 0;
  }

  pass(frame: Frame): readonly Frame[] | undefined {
    if (this.bound.isOver || !this.#filter.takes(frame)) return undefined;
    this.bound.take();
    if (this.#frames.length === 0) this.#firstHeldMs = this.#clock.monotonicMs();
    this.#frames.push(frame);
    return this.#frames.length >= this.#limits.window || this.bound.isOver ? this.held() : [];
  }

  due(): readonly Frame[] {
    const isOverdue = this.#clock.monotonicMs() - this.#firstHeldMs >= this.#limits.holdMs;
    return isOverdue ? this.held() : [];
  }

  held(): readonly Frame[] {
    const frames = shuffled(this.#frames, this.#random);
    this.#frames = [];
    return frames;
  }
}

/** Another order of the same: never the one that they came in. */
function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const order = items.map((_, index) => index);
  for (let last = order.length - 1; last > 0; last--) {
    const other = random.integer(0, last);
    [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
  }
  if (order.every((place, index) => place === index)) order.reverse();
  return order.flatMap((place) => items.slice(place, place + 1));
}
