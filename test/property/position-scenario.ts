import fc from 'fast-check';
import type { ModelExecution } from './position-model.ts';

/** One thing that somebody does; `picks` are numbers of executions, wrapped around. */
export type Action =
  | { readonly type: 'record'; readonly picks: readonly number[]; readonly altered: number }
  | { readonly type: 'fill'; readonly pick: number }
  | {
      readonly type: 'freeze';
      readonly account: number | null;
      readonly instrument: number | null;
      readonly until: number;
    }
  | { readonly type: 'rebuild'; readonly since: number }
  | { readonly type: 'ask'; readonly name: number; readonly at: number | null }
  | { readonly type: 'restart' };

export type Scenario = {
  /** All that there is to record, and whose keys are all different. */
  readonly executions: readonly ModelExecution[];
  /** What is done at once, one such group after the other. */
  readonly groups: readonly (readonly Action[])[];
};

export const accounts = ['a', 'é'];
export const instruments = ['external:1', 'x:Ü'];
export const names = accounts.flatMap((account) =>
  instruments.map((instrument) => ({ account, instrument })),
);

// UTF-16 orders the last two the other way round than UTF-8.
const marks = ['', 'Z', 'a', '\u{fb00}', '\u{10437}'];

/** Around the ends of a second, a day, a week and a month. */
const start = Date.UTC(2024, 3, 1) * 1000;
export const times = [-604_800e6, -1e6, -1, 0, 1, 2, 999_999, 1e6, 3_600e6, 86_400e6, 7e11].map(
  (offset) => start + offset,
);

const unit = 10n ** 18n;
const someQuantity = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -4, max: 4 }).map((n) => BigInt(n) * unit) },
  { weight: 2, arbitrary: fc.constantFrom(3n, -7n, 10n ** 9n, -(10n ** 33n - 1n)) },
);
const somePrice = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 9 }).map((n) => BigInt(n) * unit) },
  { weight: 2, arbitrary: fc.constantFrom(1n, unit / 3n, 7n * 10n ** 9n, 10n ** 33n - 1n) },
);

const someExecution = fc.record({
  // Most are of the same account and instrument.
  name: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
  source: fc.constantFrom('s', ...marks.slice(1)),
  mark: fc.constantFrom(...marks),
  time: fc.nat(times.length - 1),
  quantity: someQuantity.map((quantity) => (quantity === 0n ? unit : quantity)),
  price: somePrice,
  fee: fc.constantFrom(0n, 1n, -unit),
});

const somePicks = fc.array(fc.nat(40), { minLength: 1, maxLength: 12 });
const someAction: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('record' as const),
      picks: somePicks,
      // The one with this number comes with another fee.
      altered: fc.oneof(
        { weight: 3, arbitrary: fc.constant(-1) },
        { weight: 1, arbitrary: fc.nat(40) },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('fill' as const), pick: fc.nat(40) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('freeze' as const),
      account: fc.option(fc.nat(1)),
      instrument: fc.option(fc.nat(1)),
      until: fc.nat(times.length - 2),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('rebuild' as const),
      since: fc.nat(times.length - 1),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('ask' as const),
      name: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
      at: fc.option(fc.nat(times.length - 1)),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'restart' as const }) },
);

/** Executions that come in any order, again, late and frozen, while others ask and rebuild. */
export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  executions: fc.array(someExecution, { minLength: 1, maxLength: 24 }).map((all) =>
    all.map(({ name, mark, time, ...rest }, index) => ({
      ...rest,
      account: names[name]?.account ?? '',
      instrument: names[name]?.instrument ?? '',
      sourceId: `${mark}${index}`,
      executedTime: times[time] ?? start,
    })),
  ),
  groups: fc.array(fc.array(someAction, { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 8,
  }),
});
