import fc from 'fast-check';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import type { Candle } from '../../src/domain/candle.ts';
import { openTcpFeed } from '../../src/exchange/json-lines/tcp-feed.ts';
import { Market } from '../../src/market/market.ts';
import { noon } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { TwinClock } from '../support/twin-clock.ts';
import { TwinJsonLines } from '../support/twin-json-lines.ts';

// Prices over a real socket that is cut now and then, against candles computed in the obvious way.

type Step =
  | {
      readonly type: 'price';
      readonly afterMs: number;
      readonly lateMs: number;
      readonly price: number;
    }
  | { readonly type: 'cut' };

type Arrival = {
  /** Exchange time, in ms after noon. */
  readonly ms: number;
  readonly price: number;
  /** Whether the connection broke since the one before it. */
  readonly isAfterCut: boolean;
};

const aPrice = fc.record({
  type: fc.constant('price' as const),
  afterMs: fc.oneof(fc.constant(0), fc.nat(700), fc.nat(4000)),
  // Times that jump back, and times that are the same, are common.
  lateMs: fc.oneof(fc.constant(0), fc.nat(300), fc.nat(5000)),
  price: fc.integer({ min: 95, max: 105 }),
});
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: aPrice },
    { weight: 1, arbitrary: fc.constant({ type: 'cut' as const }) },
  ),
  { maxLength: 25 },
);

const lengths: Readonly<Record<string, number>> = { '1s': 1000, '1m': 60_000 };

/** What a candle with trades must be: its open time, prices, count, sum, and whether it is whole. */
function modelCandles(arrivals: readonly Arrival[], timeframe: string): string[] {
  const length = lengths[timeframe] ?? 1;
  const holes = arrivals.flatMap(({ ms, isAfterCut }, index) => {
    const before = arrivals[index - 1];
    return isAfterCut && before !== undefined
      ? [[Math.min(before.ms, ms), Math.max(before.ms, ms)] as const]
      : [];
  });
  const openTimes = [...new Set(arrivals.map(({ ms }) => Math.floor(ms / length) * length))];
  return openTimes
    .toSorted((a, b) => a - b)
    .map((open) => {
      // Sorting keeps the order of arrival among equal times.
      const inside = arrivals
        .filter(({ ms }) => ms >= open && ms < open + length)
        .toSorted((a, b) => a.ms - b.ms);
      const prices = inside.map(({ price }) => price);
      const isComplete = !holes.some(([from, to]) => from < open + length && to >= open);
      const sum = prices.reduce((total, price) => total + price, 0);
      return [
        open,
        prices[0],
        Math.max(...prices),
        Math.min(...prices),
        prices.at(-1),
        prices.length,
        sum,
        isComplete,
      ].join(' ');
    });
}

const whole = (value: bigint | undefined) => (value ?? 0n) / 10n ** 18n;

function shown({
  openTime,
  open,
  high,
  low,
  close,
  tradeCount,
  priceSum,
  isComplete,
}: Candle): string {
  return [
    (openTime - noon) / 1000,
    whole(open),
    whole(high),
    whole(low),
    whole(close),
    tradeCount,
    whole(priceSum),
    isComplete,
  ].join(' ');
}

/** Plays the steps over a socket; the last versions of all closed candles with trades. */
async function play(given: readonly Step[]) {
  await using twin = await TwinJsonLines.open();
  const clock = new TwinClock(noon);
  const closed = new Map<string, Candle>();
  const market = new Market({
    run: 1,
    publish: (update) => {
      if (update.type !== 'candle' || !update.candle.isClosed) return;
      closed.set(`${update.candle.timeframe} ${update.candle.openTime}`, update.candle);
    },
  });
  await using feed = openTcpFeed({
    exchangeName: 'exchange1',
    address: { host: '127.0.0.1', port: twin.port },
    symbols: ['BTCUSDT'],
    handle: (event) => market.handle(event),
    clock,
    logger: silentLogger,
    random: () => 0,
    // The clock jumps.
    bounds: { silenceTimeoutMs: 1e9 },
  });
  const connected = () =>
    eventually(() => twin.sockets.size === 1 && feed.status().state === 'open');
  await connected();

  const arrivals: Arrival[] = [];
  let isAfterCut = false;
  const send = async (ms: number, price: number) => {
    twin.line({ price: String(price), timestamp: noon / 1000 + ms });
    arrivals.push({ ms, price, isAfterCut });
    isAfterCut = false;
    await eventually(() => market.counters.trades === arrivals.length);
  };
  const now = () => (clock.now() - noon) / 1000;
  await send(0, 100);
  for (const step of given) {
    if (step.type === 'price') {
      clock.moveTo(clock.now() + step.afterMs * 1000);
      await send(Math.max(0, now() - step.lateMs), step.price);
    } else {
      twin.cut('reset');
      isAfterCut = true;
      await eventually(() => feed.status().state === 'waiting');
      clock.moveTo(feed.status().connections[0]?.nextAttempt ?? clock.now());
      await connected();
    }
  }
  // So late that everything before it is closed.
  clock.moveTo(clock.now() + 120_000_000);
  await send(now(), 100);
  return { arrivals, candles: [...closed.values()] };
}

test('whatever order prices come in and wherever the connection breaks, the candles are the obvious ones', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      const { arrivals, candles } = await play(given);
      for (const timeframe of Object.keys(lengths)) {
        const ours = candles
          .filter((candle) => candle.timeframe === timeframe && candle.tradeCount > 0)
          .toSorted((a, b) => a.openTime - b.openTime);
        const last = arrivals.at(-1)?.ms ?? 0;
        const length = lengths[timeframe] ?? 1;
        // The one that is open still is not among them.
        const expected = modelCandles(arrivals, timeframe).filter(
          (candle) => Number(candle.split(' ')[0]) + length <= last - 500,
        );
        expect(ours.map(shown)).toEqual(expected);
      }
    }),
    { numRuns: 40 },
  );
});
