import { Refusal } from '../../domain/refusal.ts';
import {
  choiceField,
  integerField,
  optional,
  readFields,
  symbolField,
  withDefault,
} from '../control-fields.ts';
import type { Action } from '../controlled.ts';
import { routes } from '../rest.ts';
import { boundFields } from './bound.ts';
import type { Bound } from './bound.ts';
import type { Fault } from './fault.ts';

const ways = ['slow', 'never', 'html', 'truncated', 'cut', 'empty', 'wrongShape', 'error'] as const;
/** Longer than any client waits. */
const maxDelayMs = 600_000;

/** What is done to an answer. */
export type Spoiling = {
  readonly how: (typeof ways)[number];
  readonly delayMs: number;
  readonly status: number | undefined;
};

const fields = {
  symbol: optional(symbolField),
  path: optional(choiceField([...routes.keys()])),
  how: withDefault(choiceField(ways), 'slow'),
  delayMs: withDefault(integerField(0, maxDelayMs), 0),
  status: optional(integerField(500, 599)),
  ...boundFields,
};

/** Answers REST questions late or wrongly. */
export const rest: Action = (body, { faults }) => {
  const { symbol, path, how, delayMs, status, ...limits } = readFields(body, fields);
  if (how === 'slow' && delayMs === 0) {
    throw new Refusal('invalid', 'delayMs: expected at least 1 with how "slow", got 0');
  }
  if (status !== undefined && how !== 'error') {
    throw new Refusal('invalid', `status: expected only with how "error", got how "${how}"`);
  }
  return faults.begin(
    new SpoilRest({ symbol, path }, { how, delayMs, status }, faults.bound(limits)),
  );
};

class SpoilRest implements Fault {
  readonly action = 'rest';
  readonly bound: Bound;
  readonly #which: { readonly symbol: string | undefined; readonly path: string | undefined };
  readonly #spoiling: Spoiling;

  constructor(
    which: { readonly symbol: string | undefined; readonly path: string | undefined },
    spoiling: Spoiling,
    bound: Bound,
  ) {
    this.#which = which;
    this.#spoiling = spoiling;
    this.bound = bound;
  }

  get symbol(): string | undefined {
    return this.#which.symbol;
  }

  shown(): Readonly<Record<string, unknown>> {
    return { ...this.#which, ...this.#spoiling };
  }

  spoil(path: string, symbol: string | undefined): Spoiling | undefined {
    const isMeant =
      (this.#which.path === undefined || this.#which.path === path) &&
      (this.symbol === undefined || this.symbol === symbol);
    return isMeant && this.bound.take() ? this.#spoiling : undefined;
  }
}
