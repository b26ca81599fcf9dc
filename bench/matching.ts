// The matching engine alone: book tickers in, decisions out. Beside it the obvious way, which looks at
// every open order with every ticker: what is held against it is found in the same run.
import type { BookTicker } from '../src/domain/book-ticker.ts';
import type { Order, OrderSide } from '../src/domain/order.ts';
import { MatchingEngine } from '../src/order/matching-engine.ts';
import { naiveFills } from './support/naive-matching.ts';
import { median, report, timeOf } from './support/rounds.ts';

const one = 10n ** 18n;
const instrument = 'binance:BTCUSDT';
const start = Date.UTC(2026, 0, 1) * 1000;
const rounds = 7;

console.log(
  'Matching: BookTicker → MatchingEngine → decisions, one instrument, CPU time of one core; median of 7 rounds',
);

// The bid moves between 62000 and 62000.99, the ask 10 above it; each fourth ticker repeats the one
// before; 2 cents away from either side orders begin to wait, half of them sells.
const tickers = Array.from({ length: 300_000 }, (_, index) => {
  const step = Math.floor((index * 3) / 4);
  const bidPrice = 62_000n * one + BigInt((step * 37) % 100) * (one / 100n);
  return aTicker(index, bidPrice, BigInt(1 + (step % 5)) * one);
});
const passes = 10;
const rates = new Map<number, number>();
for (const count of [10, 10_000, 100_000]) {
  let decisions = 0;
  const engine = openEngine(waitingOrders(count), () => decisions++);
  rates.set(
    count,
    ratePerSecond(tickers.length * passes, () => pass(engine, tickers)),
  );
  if (decisions !== 0) throw new Error('Expected no fill');
}
const [few = 0, rate = 0, many = 0] = rates.values();
report(
  'at least 10 million tickers/s that fill nothing, against 10,000 resting orders',
  `${millions(rate)} million tickers/s`,
  rate >= 10e6,
);
report(
  'the cost of a ticker does not depend on their number: at most twice as much with 100,000 as with 10',
  `${millions(few)} with 10, ${millions(many)} with 100,000`,
  many * 2 >= few,
);

// One order has used what is displayed and waits for more, in front of all others.
const hungry = openEngine(waitingOrders(10_000));
hungry.add(anOrder('hungry', 'sell', 61_000n * one, 10n ** 9n * one), start);
const repeats = Array.from({ length: 300_000 }, (_, index) =>
  aTicker(index, 62_000n * one, one, BigInt(1 + (index % 5)) * one),
);
const repeatRate = ratePerSecond(repeats.length * passes, () => pass(hungry, repeats));
report(
  'as many that repeat a bid which is used up',
  `${millions(repeatRate)} million tickers/s`,
  repeatRate >= 10e6,
);

const naiveTickers = tickers.slice(0, 500);
const naiveOrders = waitingOrders(10_000);
const naiveRate = ratePerSecond(naiveTickers.length, () => {
  for (const ticker of naiveTickers) naiveFills(naiveOrders, ticker);
});
console.log(
  `          ${(rate / naiveRate).toFixed(0)} times as fast as looking through all 10,000 (${Math.round(naiveRate)} tickers/s)`,
);

// Every ticker shows 10 of another quantity than before: each fills 4 orders of 3, the last in part.
const fillSeconds: number[] = [];
let fills = 0;
for (let round = 0; round < rounds; round++) {
  fills = 0;
  const engine = openEngine(marketableOrders(60_000), () => fills++);
  const shown = Array.from({ length: 18_000 }, (_, index) =>
    aTicker(index, 62_000n * one + BigInt(index % 2), 10n * one),
  );
  fillSeconds.push(
    timeOf(() => {
      for (const ticker of shown) engine.handleTicker(ticker);
    }) / 1e9,
  );
  if (engine.openCount !== 0) throw new Error('Expected every order to be filled');
}
const fillRate = fills / median(fillSeconds);
report(
  'at least half a million fills/s decided',
  `${millions(fillRate)} million fills/s (${fills} fills of 60,000 orders)`,
  fillRate >= 5e5,
);
const naiveSlice = marketableOrders(10_000);
const naiveFillRate = ratePerSecond(40, () => {
  for (const ticker of tickers.slice(0, 10)) naiveFills(naiveSlice, ticker);
});
console.log(
  `          ${(fillRate / naiveFillRate).toFixed(0)} times as fast as sorting 10,000 by priority for each ticker (${Math.round(naiveFillRate)} fills/s)`,
);

/** Ids begin anew with each pass: the engine would leave those that it had already. */
function pass(engine: MatchingEngine, shown: readonly BookTicker[]): void {
  for (let count = 0; count < passes; count++) {
    engine.handleMarketLost('another pass', start);
    for (const ticker of shown) engine.handleTicker(ticker);
  }
}

function ratePerSecond(count: number, work: () => void): number {
  const seconds = Array.from({ length: rounds }, () => timeOf(work) / 1e9);
  return count / median(seconds);
}

function openEngine(orders: readonly Order[], decide: () => void = () => {}): MatchingEngine {
  const engine = new MatchingEngine({ instrument, decide, needsFreshTicker: () => {} });
  engine.startDeciding(start);
  for (const order of orders) engine.add(order, start);
  return engine;
}

function waitingOrders(count: number): Order[] {
  return Array.from({ length: count }, (_, index) => {
    const away = BigInt((index * 7919) % count) * (one / 100n);
    return index % 2 === 0
      ? anOrder(`sell ${index}`, 'sell', 62_001n * one + one / 100n + away, one)
      : anOrder(`buy ${index}`, 'buy', 62_010n * one - one / 50n - away, one);
  });
}

function marketableOrders(count: number): Order[] {
  return Array.from({ length: count }, (_, index) =>
    anOrder(`sell ${index}`, 'sell', BigInt(50_000 + ((index * 7919) % 1000)) * one, 3n * one),
  );
}

function anOrder(orderId: string, side: OrderSide, limitPrice: bigint, quantity: bigint): Order {
  return {
    orderId,
    account: 'default',
    instrument,
    side,
    quantity,
    limitPrice,
    timeInForce: 'GTC',
    expireTime: undefined,
    clientOrderId: undefined,
    version: 1,
    status: 'open',
    cancelReason: undefined,
    filledQuantity: 0n,
    filledNotional: 0n,
    acceptedTime: start,
    updatedTime: start,
  };
}

function aTicker(
  updateId: number,
  bidPrice: bigint,
  bidQuantity: bigint,
  askQuantity: bigint = bidQuantity,
): BookTicker {
  const askPrice = bidPrice + 10n * one;
  const receivedTime = start + updateId * 50;
  return {
    type: 'bookTicker',
    instrument,
    updateId,
    bidPrice,
    bidQuantity,
    askPrice,
    askQuantity,
    receivedTime,
  };
}

function millions(rate: number): string {
  return (rate / 1e6).toFixed(2);
}
