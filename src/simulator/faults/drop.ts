import { Refusal } from '../../domain/refusal.ts';
import {
  flagField,
  integerField,
  invalid,
  listField,
  objectField,
  optional,
  readFields,
  withDefault,
} from '../control-fields.ts';
import type { FieldReader } from '../control-fields.ts';
import type { Action } from '../controlled.ts';
import type { Frame } from '../frame.ts';
import { boundFields } from './bound.ts';
import type { Bound } from './bound.ts';
import type { Fault } from './fault.ts';
import { filterFields, FrameFilter } from './frame-filter.ts';
import { IdRanges } from './id-ranges.ts';
import type { IdRange } from './id-ranges.ts';

/** Ranges in one request. */
const maxRanges = 10_000;
const anyId = integerField(0, Number.MAX_SAFE_INTEGER);

const idRange: FieldReader<IdRange> = (value, name) => {
  if (typeof value === 'number') {
    const id = anyId(value, name);
    return { from: id, to: id };
  }
  const range = objectField(value, name);
  const from = anyId(range['from'], `${name}.from`);
  const to = anyId(range['to'], `${name}.to`);
  if (to < from) throw invalid(`${name}.to`, `at least ${from}`, to);
  return { from, to };
};

const fields = {
  symbol: filterFields.symbol,
  oneIn: filterFields.oneIn,
  ...boundFields,
  ids: optional(listField('ids like 7 or {"from":7,"to":9}', maxRanges, idRange)),
  everywhere: withDefault(flagField, false),
};

/** Leaves aggregate trades, and the single ones in them, out of the streams, and out of REST too. */
export const drop: Action = (body, { faults }) => {
  const { ids, everywhere, ...values } = readFields(body, fields);
  if (ids !== undefined && values.symbol === undefined) {
    throw new Refusal('invalid', 'symbol: expected the one whose ids are given, got nothing');
  }
  const filter = new FrameFilter(values, faults.random());
  const wanted = ids === undefined ? undefined : new IdRanges(ids);
  return faults.begin(new Drop(filter, faults.bound(values), { wanted, everywhere }));
};

class Drop implements Fault {
  readonly action = 'drop';
  readonly bound: Bound;
  readonly #filter: FrameFilter;
  readonly #wanted: IdRanges | undefined;
  readonly #isEverywhere: boolean;
  /** What was left out, by symbol. */
  readonly #dropped = new Map<string, IdRanges>();
  /** The last trade that was let through, by symbol: chance is asked about each trade once. */
  readonly #passed = new Map<string, number>();

  constructor(
    filter: FrameFilter,
    bound: Bound,
    which: { readonly wanted: IdRanges | undefined; readonly everywhere: boolean },
  ) {
    this.#filter = filter;
    this.bound = bound;
    this.#wanted = which.wanted;
    this.#isEverywhere = which.everywhere;
  }

  get symbol(): string | undefined {
    return this.#filter.values.symbol;
  }

  shown(): Readonly<Record<string, unknown>> {
    const dropped = [...this.#dropped].map(([symbol, ids]) => [symbol, ids.ranges.slice(0, 100)]);
    return {
      everywhere: this.#isEverywhere,
      ids: this.#wanted?.ranges.slice(0, 100),
      dropped: Object.fromEntries(dropped),
    };
  }

  /** REST lacks them until this is cleared. A trade's streams are sent at once: it is over for all. */
  isStillNeeded(): boolean {
    return this.#isEverywhere && !this.bound.isPast;
  }

  pass(frame: Frame): readonly Frame[] | undefined {
    const { symbol, tradeId } = frame;
    if (tradeId === undefined || !this.#filter.concerns(frame)) return undefined;
    const dropped = this.#dropped.get(symbol) ?? new IdRanges();
    if (dropped.has(tradeId)) return this.bound.isPast ? undefined : [];
    if (this.#passed.get(symbol) === tradeId) return undefined;
    const isMeant = this.#wanted?.has(tradeId) ?? true;
    if (isMeant && this.#filter.isDrawn() && !this.bound.isOver && dropped.add(tradeId)) {
      this.bound.take();
      this.#dropped.set(symbol, dropped);
      return [];
    }
    this.#passed.set(symbol, tradeId);
    return undefined;
  }

  missingIds(symbol: string): IdRanges | undefined {
    if (!this.#isEverywhere || this.bound.isPast) return undefined;
    return this.#wanted !== undefined && symbol === this.symbol
      ? this.#wanted
      : this.#dropped.get(symbol);
  }
}
