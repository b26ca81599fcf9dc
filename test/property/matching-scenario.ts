import fc from 'fast-check';

const accounts = ['a', 'b', 'c'] as const;
// Few prices and quantities, so that levels repeat, reach limits, and are used up; 0 is an empty side.
const bids = fc.tuple(
  fc.constantFrom(0, 8, 9, 10, 10, 11, 12, 13),
  fc.constantFrom(0, 1, 2, 3, 3, 5),
);
const asks = fc.tuple(
  fc.constantFrom(0, 10, 11, 12, 12, 13, 14),
  fc.constantFrom(0, 1, 2, 3, 3, 5),
);

const ticker = fc.record({
  type: fc.constant('ticker'),
  bid: bids,
  ask: asks,
  // Which of the sides are those of the ticker before; half of a real market's tickers repeat a side.
  repeats: fc.constantFrom('none', 'bid', 'ask', 'both'),
  // How its update id follows on the last one; an exchange's never falls, but a network's may.
  step: fc.constantFrom(1, 1, 1, 1, 5, 0, -1),
});

const order = fc.record({
  type: fc.constant('order'),
  account: fc.constantFrom(...accounts),
  side: fc.constantFrom('buy', 'sell'),
  quantity: fc.integer({ min: 1, max: 7 }),
  limit: fc.integer({ min: 8, max: 14 }),
  timeInForce: fc.constantFrom('GTC', 'GTC', 'GTC', 'GTD', 'GTD', 'IOC', 'FOK'),
  expiresAfterMs: fc.integer({ min: -10, max: 300 }),
});

const step = fc.record({
  // Whether there is time between two steps, now and then so much that the ticker is old; and a clock
  // can be set back.
  afterMs: fc.constantFrom(0, 0, 1, 10, 10, 50, 200, 5_000, 5_001, -100),
  action: fc.oneof(
    { weight: 10, arbitrary: ticker },
    { weight: 9, arbitrary: order },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('cancel'), pick: fc.nat(20) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('halt'),
        accounts: fc.subarray([...accounts]),
        isEverything: fc.nat(5).map((value) => value === 0),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant('restart'),
        // Whether the market has gone on meanwhile, and its last ticker is there at once.
        isWithTicker: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constantFrom('pass', 'lose', 'open', 'stop', 'start', 'start', 'giveUp'),
      }),
    },
  ),
});

/** Orders, tickers and everything else that happens to them, one after the other. */
export const scenarios = fc.array(step, { minLength: 1, maxLength: 60, size: 'max' });

export type Scenario = typeof scenarios extends fc.Arbitrary<infer Value> ? Value : never;
export type Action = Scenario[number]['action'];
