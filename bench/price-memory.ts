// What prices keep and make of a trade, beside the event itself.
import { systemClock } from '../src/base/clock.ts';
import type { Micros } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import type { Trade } from '../src/domain/trade.ts';
import { Market } from '../src/market/market.ts';
import { PriceBook } from '../src/market/price-book.ts';
import { PriceBroadcast } from '../src/rpc/price/price-broadcast.ts';
import { PriceCache } from '../src/store/price/price-cache.ts';
import { memoryUse } from './support/process-cost.ts';
import { median, report } from './support/rounds.ts';

const instrument = 'binance:BTCUSDT';
const start = Date.UTC(2026, 0, 1) * 1000;
const perSecond = 10_000;
/** So few that their garbage is not collected within a round. */
const batch = 1_000;
const rounds = 201;

console.log(
  `Memory of prices: heap after ${perSecond} trades a second; garbage by the growth of the heap over ${batch} trades that are there already, median of ${rounds} rounds`,
);

const clock = { ...systemClock, now: () => start };
const market = new Market({ run: start, publish: () => {} });
const opened = { type: 'connectionOpened', connection: '1', receivedTime: start } as const;
market.handle({ ...opened, instruments: [instrument] });
const book = new PriceBook({ market, stored: undefined, clock });
let id = 0;
/** As many trades as this within a minute that is held: what is kept must not depend on how many. */
const fold = (count: number): void => {
  for (let index = 0; index < count; index++) market.handle(tradeAt(++id));
};
fold(perSecond);
void book.statistics([instrument], 60_000_000);
const before = memoryUse();
const folded = 20 * perSecond;
fold(folded);
void book.statistics([instrument], 60_000_000);
const kept = (memoryUse().heap - before.heap) / folded;
report(
  'nothing is kept of a trade: less than a byte each',
  `${kept.toFixed(3)} bytes each of ${folded} trades`,
  kept < 1,
);

using broadcast = new PriceBroadcast({
  latestTrade: (name) => book.latestTrade([name]),
  names: () => [instrument],
  clock: systemClock,
});
await using cache = new PriceCache({
  connect: () => Promise.reject(new Error('There is none')),
  latestTrades: () => [],
  writePeriodMs: 100,
  timeoutMs: 100,
  clock: systemClock,
  logger: silentLogger,
});
const told = garbageOf((trade) => {
  broadcast.publish(trade);
  cache.offer(trade);
});
report(
  'no allocation a trade for statistics, stream and cache: less than a byte each',
  `${told.toFixed(1)} bytes each`,
  told < 1,
);
console.log(
  `          the candles, which statistics are made of, make ${garbageOf((trade) => market.handle(trade)).toFixed(0)} bytes of garbage a trade: exact sums are bigints, each a new one`,
);

/** The bytes that are allocated for a trade, of trades that are there already. */
function garbageOf(work: (trade: Trade) => void): number {
  const grown = Array.from({ length: rounds }, () => {
    const trades = Array.from({ length: batch }, () => tradeAt(++id));
    const heapBefore = process.memoryUsage().heapUsed;
    for (const trade of trades) work(trade);
    return (process.memoryUsage().heapUsed - heapBefore) / batch;
  });
  // Where a collection came in between it is less than nothing.
  return median(grown.filter((bytes) => bytes >= 0));
}

function tradeAt(number: number): Trade {
  const time: Micros = start + Math.floor((number * 1_000_000) / perSecond);
  return {
    type: 'trade',
    instrument,
    id: number,
    price: 60_000n * 10n ** 18n + BigInt(number % 1000) * 10n ** 16n,
    quantity: 10n ** 15n,
    takerSide: 'buy',
    exchangeTime: time,
    eventTime: time,
    receivedTime: time,
    firstTradeId: number,
    lastTradeId: number,
  };
}
