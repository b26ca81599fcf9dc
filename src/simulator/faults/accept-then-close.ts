import { integerField, readFields, withDefault } from '../control-fields.ts';
import type { Action } from '../controlled.ts';
import { boundFields } from './bound.ts';
import type { Bound } from './bound.ts';
import { endFields, readEnd } from './connection-end.ts';
import type { ConnectionEnd } from './connection-end.ts';
import type { Fault } from './fault.ts';

const maxFrames = 1_000_000;

/** After how many events a connection ends, and how. */
export type NewConnectionEnd = { readonly afterFrames: number; readonly end: ConnectionEnd };

const fields = {
  ...boundFields,
  ...endFields,
  afterFrames: withDefault(integerField(0, maxFrames), 0),
};

/** Accepts connections and ends them, at once or after their first events. */
export const acceptThenClose: Action = (body, { faults }) => {
  const { afterFrames, ...values } = readFields(body, fields);
  const end = readEnd(values);
  return faults.begin(new AcceptThenClose({ afterFrames, end }, faults.bound(values)));
};

class AcceptThenClose implements Fault {
  readonly action = 'acceptThenClose';
  readonly symbol = undefined;
  readonly bound: Bound;
  readonly #end: NewConnectionEnd;

  constructor(end: NewConnectionEnd, bound: Bound) {
    this.#end = end;
    this.bound = bound;
  }

  shown(): Readonly<Record<string, unknown>> {
    return { afterFrames: this.#end.afterFrames, ...this.#end.end };
  }

  accept(): NewConnectionEnd | undefined {
    return this.bound.take() ? this.#end : undefined;
  }
}
