import { flagField, readFields, withDefault } from '../control-fields.ts';
import type { Action } from '../controlled.ts';
import type { Connection } from '../connection.ts';
import type { Frame } from '../frame.ts';
import type { Bound } from './bound.ts';
import { boundFields } from './bound.ts';
import type { Fault } from './fault.ts';
import { filterFields, FrameFilter } from './frame-filter.ts';

const fields = {
  symbol: filterFields.symbol,
  stream: filterFields.stream,
  durationMs: boundFields.durationMs,
  onlyOpen: withDefault(flagField, false),
};

/** Sends nothing more, while pings and answers go on; what would have been sent is lost. */
export const stall: Action = (body, { faults, connections }) => {
  const { onlyOpen, ...values } = readFields(body, fields);
  const filter = new FrameFilter(values, faults.random());
  const stalled = onlyOpen ? new WeakSet(connections) : undefined;
  return faults.begin(new Stall(filter, faults.bound(values), stalled));
};

class Stall implements Fault {
  readonly action = 'stall';
  readonly bound: Bound;
  readonly #filter: FrameFilter;
  /** The connections that it is about; undefined: all, also later ones. */
  readonly #stalled: WeakSet<Connection> | undefined;

  constructor(filter: FrameFilter, bound: Bound, stalled: WeakSet<Connection> | undefined) {
    this.#filter = filter;
    this.bound = bound;
    this.#stalled = stalled;
  }

  get symbol(): string | undefined {
    return this.#filter.values.symbol;
  }

  shown(): Readonly<Record<string, unknown>> {
    return { ...this.#filter.values, onlyOpen: this.#stalled !== undefined };
  }

  hides(frame: Frame, connection: Connection): boolean {
    if (this.#stalled?.has(connection) === false) return false;
    return this.#filter.concerns(frame) && this.bound.take();
  }
}
