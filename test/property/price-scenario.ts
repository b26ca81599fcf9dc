import fc from 'fast-check';
import type { PricedTrade } from './price-model.ts';

/** What happens, in the order of its time: a trade comes, a frame that only shows life, a question. */
export type PriceStep =
  | { readonly type: 'trade'; readonly at: number; readonly trade: PricedTrade }
  | { readonly type: 'frame'; readonly at: number }
  | { readonly type: 'question'; readonly at: number; readonly period: number };

export type PriceScenario = {
  readonly steps: readonly PriceStep[];
  /** The server is killed and started anew after this many steps, and reads what it missed. */
  readonly restartAfter: number;
};

export const exchanges = ['alpha', 'beta'] as const;

// Just before a day begins, and on an ordinary afternoon.
const starts = [Date.UTC(2025, 11, 31, 23, 58, 30), Date.UTC(2026, 5, 10, 14, 3, 7, 250)];

const someStep = fc.record({
  afterMs: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.nat(1_500) },
    { weight: 3, arbitrary: fc.nat(20_000) },
    { weight: 1, arbitrary: fc.nat(200_000) },
  ),
  exchange: fc.constantFrom(...exchanges),
  price: fc.integer({ min: 95, max: 105 }),
  quantity: fc.integer({ min: 1, max: 50 }),
  singles: fc.integer({ min: 1, max: 3 }),
  lateMs: fc.oneof({ weight: 3, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.nat(9_000) }),
  isTwice: fc.nat(9).map((value) => value === 0),
  question: fc.option(
    fc.oneof(
      fc.constantFrom(1, 3, 5, 10, 30, 60, 180, 300, 3_600),
      fc.integer({ min: 1, max: 1_200 }),
      // By the hour, by the day, and beyond a week by the minute.
      fc.constantFrom(3_601, 7_200, 86_400, 604_800, 604_860, 2_592_000),
    ),
    { freq: 3 },
  ),
});

/** Trades of two exchanges that come late, out of order and twice, and questions in between. */
export const priceScenarios: fc.Arbitrary<PriceScenario> = fc
  .record({
    start: fc.constantFrom(...starts),
    some: fc.array(someStep, { minLength: 1, maxLength: 40 }),
    restartAfter: fc.option(fc.nat(80), { freq: 2 }),
  })
  .map(({ start, some, restartAfter }) => {
    let time = start * 1000;
    const ids = { alpha: 100, beta: 700 };
    const steps: PriceStep[] = [];
    for (const { afterMs, exchange, price, quantity, ...each } of some) {
      time += afterMs * 1000;
      const trade: PricedTrade = {
        exchange,
        id: ids[exchange]++,
        time,
        price: BigInt(price) * 10n ** 16n,
        quantity: BigInt(quantity) * 10n ** 15n,
        singles: each.singles,
      };
      const at = time + each.lateMs * 1000;
      steps.push({ type: 'trade', at, trade });
      if (each.isTwice) steps.push({ type: 'trade', at: at + 700_000, trade });
      // The connection delivers something every second, so that seconds close.
      for (let ms = 0; ms < Math.min(afterMs, 5_000); ms += 1_000) {
        steps.push({ type: 'frame', at: time - ms * 1000 });
      }
      if (each.question !== null) {
        steps.push({ type: 'question', at: at + 1, period: each.question });
      }
    }
    steps.push({ type: 'frame', at: time + 10_000_000 });
    steps.push({ type: 'question', at: time + 10_000_001, period: 3_600 });
    steps.sort((a, b) => a.at - b.at);
    return { steps, restartAfter: restartAfter ?? Infinity };
  });
