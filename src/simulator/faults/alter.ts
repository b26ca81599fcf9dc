import {
  choiceField,
  flagField,
  integerField,
  invalid,
  listField,
  objectField,
  readFields,
  textField,
  withDefault,
} from '../control-fields.ts';
import type { Action, Body } from '../controlled.ts';
import type { Frame, TimeUnit } from '../frame.ts';
import { streamKinds } from '../stream.ts';
import { boundFields } from './bound.ts';
import type { Bound } from './bound.ts';
import type { Fault } from './fault.ts';
import { filterFields, FrameFilter } from './frame-filter.ts';

/** A hundred years: enough to be wrong. */
const maxShiftMs = 100 * 366 * 86_400_000;
/** Fields of one event; it has about ten. */
const maxFields = 100;

const fields = {
  ...filterFields,
  ...boundFields,
  stream: withDefault(choiceField(streamKinds), 'aggTrade'),
  change: withDefault(objectField, {}),
  remove: withDefault(listField("fields' names", maxFields, textField(80)), []),
  shiftMs: withDefault(integerField(-maxShiftMs, maxShiftMs), 0),
  keep: withDefault(flagField, false),
};

type Change = {
  readonly change: Body;
  readonly remove: readonly string[];
  /** What is added to T. */
  readonly shiftMs: number;
  /** Whether the true event is sent before the altered one. */
  readonly keep: boolean;
};

/** Sends events with other fields than they have: REST and klines still tell the true ones. */
export const alter: Action = (body, { faults }) => {
  const { change, remove, shiftMs, keep, ...values } = readFields(body, fields);
  if (Object.keys(change).length === 0 && remove.length === 0 && shiftMs === 0) {
    throw invalid('change', 'fields to set, or remove or shiftMs', body['change']);
  }
  const filter = new FrameFilter(values, faults.random());
  return faults.begin(new Alter(filter, faults.bound(values), { change, remove, shiftMs, keep }));
};

class Alter implements Fault {
  readonly action = 'alter';
  readonly bound: Bound;
  readonly #filter: FrameFilter;
  readonly #change: Change;

  constructor(filter: FrameFilter, bound: Bound, change: Change) {
    this.#filter = filter;
    this.bound = bound;
    this.#change = change;
  }

  get symbol(): string | undefined {
    return this.#filter.values.symbol;
  }

  shown(): Readonly<Record<string, unknown>> {
    return { ...this.#filter.values, ...this.#change };
  }

  pass(frame: Frame): readonly Frame[] | undefined {
    if (this.bound.isOver || !this.#filter.takes(frame)) return undefined;
    this.bound.take();
    const payload = (unit: TimeUnit) => altered(frame.payload(unit), this.#change, unit);
    return this.#change.keep ? [frame, { ...frame, payload }] : [{ ...frame, payload }];
  }
}

function altered(payload: string, { change, remove, shiftMs }: Change, unit: TimeUnit): string {
  const event = parse(payload);
  // An injected event that is broken already stays as it is.
  if (event === undefined) return payload;
  const { T: time } = event;
  const shift = unit === 'us' ? shiftMs * 1000 : shiftMs;
  const shifted = typeof time === 'number' ? { ...event, T: time + shift } : event;
  const all = Object.entries({ ...shifted, ...change });
  return JSON.stringify(Object.fromEntries(all.filter(([name]) => !remove.includes(name))));
}

function parse(payload: string): Body | undefined {
  try {
    const event: unknown = JSON.parse(payload);
    return typeof event === 'object' && event !== null ? (event as Body) : undefined;
  } catch {
    return undefined;
  }
}
