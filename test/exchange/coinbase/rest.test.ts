import { describe, expect, test } from 'vitest';
import { coinbase } from '../../../src/exchange/coinbase.ts';
import { parseDecimal } from '../../../src/base/decimal.ts';
import { advanceUntil } from '../../support/advance-until.ts';
import { noon } from '../../support/builders.ts';
import { TwinCoinbase } from '../../support/twin-coinbase.ts';
import { openTwinFeed } from '../../support/twin-feed.ts';

const { signal } = new AbortController();
const second = 1_000_000;

/** The REST side of a feed that follows nothing, on a tape of so many trades, one a second until noon. */
async function openRest(trades: number) {
  let tape: TwinCoinbase | undefined;
  const setup = await openTwinFeed({
    exchange: coinbase,
    exchangeName: 'coinbase',
    symbols: [],
    // As many questions as one likes: what is asked here is not asked in a second of life.
    settings: { restWeightPerMinute: 600 },
    prepare: (twin) => {
      tape = new TwinCoinbase(twin);
    },
  });
  for (let id = 1; id <= trades; id++) tape?.trade(noon - (trades - id) * second);
  /** Asks, and lets the time pass that the exchange's limits demand. */
  const ask = <T>(question: () => Promise<T>) => advanceUntil(setup.clock, question());
  return { ...setup, tape, ask };
}

describe('the first trades since a time', () => {
  const trades = 20_000;
  const timeOf = (id: number) => noon - (trades - id) * second;
  test.each([
    ['the newest', timeOf(trades), trades],
    ['one of the last page', timeOf(19_500), 19_500],
    ['the first of the last page', timeOf(19_001), 19_001],
    ['one just before the last page', timeOf(19_000), 19_000],
    ['one between two trades', timeOf(12_345) - 1, 12_345],
    ['one far back', timeOf(777), 777],
    ['the very first', timeOf(1), 1],
    ['one from before all trades', timeOf(1) - 86_400 * second, 1],
  ])('%s', async (_name, fromTime, first) => {
    await using setup = await openRest(trades);
    const { feed, ask } = setup;
    const range = { fromTime, toTime: noon + 60 * second };
    const page = await ask(() => feed.rest.trades('BTCUSD', range, signal));
    const ids = page.map(({ id }) => id);
    const length = Math.min(1000, trades - first + 1);
    expect(ids).toEqual(Array.from({ length }, (_, index) => first + index));
    expect(setup.twin.questions.length).toBeLessThan(25);
  });

  test('none since then', async () => {
    await using setup = await openRest(5);
    const { feed, ask } = setup;
    const range = { fromTime: noon + 1, toTime: noon + second };
    expect(await ask(() => feed.rest.trades('BTCUSD', range, signal))).toEqual([]);
  });

  test('none at all', async () => {
    await using setup = await openRest(0);
    const { feed, ask } = setup;
    const range = { fromTime: 0, toTime: noon };
    expect(await ask(() => feed.rest.trades('BTCUSD', range, signal))).toEqual([]);
    expect(await ask(() => feed.rest.lastTrade('BTCUSD', signal))).toBeUndefined();
  });
});

test('trades by id follow on each other, page by page', async () => {
  await using setup = await openRest(2500);
  const { feed, ask } = setup;
  const page = await ask(() => feed.rest.trades('BTCUSD', { fromId: 1001 }, signal));
  expect([page.length, page[0]?.id, page.at(-1)?.id]).toEqual([1000, 1001, 2000]);
  const rest = await ask(() => feed.rest.trades('BTCUSD', { fromId: 2001 }, signal));
  expect([rest.length, rest[0]?.id, rest.at(-1)?.id]).toEqual([500, 2001, 2500]);
  expect(setup.twin.questions[0]).toBe('/products/BTC-USD/trades?limit=1000&after=2001');
});

test('a trade over REST is the trade of the stream, its side the taker’s', async () => {
  await using setup = await openRest(1);
  const { feed, ask } = setup;
  const answer = await ask(() => feed.rest.lastTrade('BTCUSD', signal));
  expect(answer?.trade).toMatchObject({
    instrument: 'coinbase:BTCUSD',
    id: 1,
    price: parseDecimal('101'),
    takerSide: 'buy',
    exchangeTime: noon,
    eventTime: undefined,
  });
});

test.each([
  [
    'the top of the book, under the id that the stream’s tickers count on',
    { sequence: 37475248784, bids: [['6247.58', '6.3578146', 2]], asks: [['6251.52', '2', 1]] },
    {
      updateId: 37475248784,
      bidPrice: parseDecimal('6247.58'),
      bidQuantity: parseDecimal('6.3578146'),
      askPrice: parseDecimal('6251.52'),
      askQuantity: parseDecimal('2'),
    },
  ],
  [
    'a book without bids',
    { sequence: 1, bids: [], asks: [['1', '2', 1]] },
    { updateId: 1, bidPrice: 0n, bidQuantity: 0n },
  ],
])('what the best bid and ask are is asked: %s', async (_name, body, ticker) => {
  await using setup = await openRest(0);
  setup.twin.answer = () => ({ body });
  const asked = await setup.ask(async () => setup.feed.rest.bookTicker?.('BTCUSD', signal));
  expect(asked).toMatchObject({ instrument: 'coinbase:BTCUSD', ...ticker });
  expect(setup.twin.questions).toEqual(['/products/BTC-USD/book?level=1']);
});

test.each([
  ['no levels', { sequence: 1, bids: {}, asks: [] }],
  ['a level that is none', { sequence: 1, bids: [5], asks: [] }],
  ['a negative price', { sequence: 1, bids: [['-1', '1', 1]], asks: [] }],
  ['no sequence', { bids: [], asks: [] }],
])('%s is no best bid and ask', async (_name, body) => {
  await using setup = await openRest(0);
  setup.twin.answer = () => ({ body });
  const asked = setup.ask(async () => setup.feed.rest.bookTicker?.('BTCUSD', signal));
  await expect(asked).rejects.toMatchObject({ name: 'RestError', kind: 'failed' });
});

test('what it lists tells increments and why something does not trade', async () => {
  await using setup = await openRest(0);
  const { feed, ask, tape } = setup;
  const product = { quote_increment: '0.01', base_increment: '0.00000001', min_market_funds: '10' };
  if (tape !== undefined) {
    tape.products = [
      { id: 'BTC-USD', ...product, status: 'online' },
      { id: 'ETH-USD', status: 'delisted' },
      { id: 'LTC-USD', status: 'online', cancel_only: true, quote_increment: 0.01 },
      { id: 'XRP-USD', status: 'online', trading_disabled: true },
      { id: 'BTC-USDT', status: 'online' },
      null,
    ];
  }
  const symbols = ['BTCUSD', 'ETHUSD', 'LTCUSD', 'XRPUSD', 'GONEUSD'];
  const listed = await ask(() => feed.rest.listedInstruments(symbols, signal));
  expect([...listed.keys()]).toEqual(symbols.slice(0, 4));
  expect(listed.get('BTCUSD')).toEqual({
    limits: {
      tickSize: parseDecimal('0.01'),
      lotSize: parseDecimal('0.00000001'),
      minimumNotional: parseDecimal('10'),
    },
    trouble: undefined,
  });
  expect([...listed.values()].map(({ trouble }) => trouble)).toEqual([
    undefined,
    'It does not trade (delisted)',
    'The exchange takes only cancellations for it',
    'The exchange has disabled its trading',
  ]);
  expect(listed.get('LTCUSD')?.limits.tickSize).toBeUndefined();
});
