import fc from 'fast-check';
import type { AppendFault } from '../support/twin-order-log.ts';

export type Step = {
  /** Turns of the event loop before the next step: what is under way may or may not be over. */
  readonly turns: number;
} & (
  | {
      readonly type: 'submit';
      readonly instrument: string;
      readonly account: string;
      readonly side: 'buy' | 'sell';
      readonly quantity: number;
      readonly limit: number;
      readonly timeInForce: 'GTC' | 'GTD' | 'IOC' | 'FOK';
      readonly timeoutMs: number;
      readonly clientOrderId: string | undefined;
    }
  /** What was asked for once is asked for again. */
  | { readonly type: 'repeat'; readonly which: number }
  /** One of the orders that were answered by then. */
  | { readonly type: 'cancel'; readonly which: number }
  | { readonly type: 'cancelAll'; readonly account: string }
  | {
      readonly type: 'ticker';
      readonly instrument: string;
      readonly bid: readonly [price: number, quantity: number];
      readonly ask: readonly [price: number, quantity: number];
    }
  | { readonly type: 'pass'; readonly ms: number }
  | { readonly type: 'fault'; readonly fault: AppendFault }
  | { readonly type: 'deliverLate' | 'away' | 'back' | 'start' | 'lose' | 'reopen' }
  | { readonly type: 'crash' | 'freeze' | 'stop'; readonly which: number }
  | { readonly type: 'halt' | 'resume'; readonly account: string | undefined }
);

const instrument = fc.constantFrom('binance:BTCUSDT', 'binance:ETHUSDT');
const account = fc.constantFrom('ann', 'bob');

const submit = fc.record({
  type: fc.constant('submit' as const),
  instrument,
  account,
  side: fc.constantFrom('sell' as const, 'buy' as const),
  quantity: fc.integer({ min: 1, max: 6 }),
  limit: fc.integer({ min: 97, max: 103 }),
  timeInForce: fc.constantFrom('GTC', 'GTC', 'GTC', 'GTD', 'GTD', 'IOC', 'FOK'),
  timeoutMs: fc.constantFrom(30, 700, 2_500, 9_000),
  clientOrderId: fc.option(fc.constantFrom('x', 'y', 'z'), { nil: undefined, freq: 2 }),
});

const ticker = fc
  .record({
    instrument,
    bid: fc.integer({ min: 97, max: 102 }),
    spread: fc.integer({ min: 1, max: 2 }),
    bidQuantity: fc.integer({ min: 1, max: 3 }),
    askQuantity: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ instrument, bid, spread, bidQuantity, askQuantity }) => ({
    type: 'ticker' as const,
    instrument,
    bid: [bid, bidQuantity] as const,
    ask: [bid + spread, askQuantity] as const,
  }));

const faults = [
  'lost',
  'committedButFailed',
  'late',
  'slow',
  'busy',
  'haltsChanged',
  'outOfStep',
] as const;

const action = fc.oneof(
  { weight: 12, arbitrary: submit },
  { weight: 16, arbitrary: ticker },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('repeat' as const), which: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('cancel' as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cancelAll' as const), account }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('pass' as const),
      ms: fc.constantFrom(20, 300, 1_200, 3_000, 7_000),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('fault' as const),
      fault: fc.constantFrom<AppendFault>(...faults),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constantFrom(
        'deliverLate',
        'away',
        'back',
        'back',
        'start',
        'lose',
        'reopen',
        'reopen',
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('crash' as const, 'freeze' as const, 'stop' as const),
      which: fc.nat(1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('halt' as const, 'resume' as const, 'resume' as const),
      account: fc.option(account, { nil: undefined, freq: 2 }),
    }),
  },
);

/** What happens to one or two servers, one after the other. */
export const scenarios: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.tuple(action, fc.constantFrom(0, 0, 1, 3, 8)).map(([step, turns]) => ({ ...step, turns })),
  { minLength: 1, maxLength: 50, size: 'max' },
);
