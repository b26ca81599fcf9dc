import { silentLogger } from '../../src/base/logger.ts';
import type { Candle } from '../../src/domain/candle.ts';
import type { MarketEvent } from '../../src/domain/market-event.ts';
import type { Timeframe } from '../../src/domain/timeframe.ts';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { Recovery } from '../../src/exchange/recovery.ts';
import { Market } from '../../src/market/market.ts';
import type { MarketUpdate } from '../../src/market/market-update.ts';
import { openTwinFeed } from './twin-feed.ts';
import type { TwinExchange } from './twin-exchange.ts';

type Followed = {
  readonly exchange: Exchange;
  readonly symbols?: readonly string[];
  readonly prepare: (twin: TwinExchange) => void;
};

/** A twin exchange's feed with the market and the recovery behind it, as the server wires them. */
export async function followExchange({ exchange, symbols = ['BTC-USD'], prepare }: Followed) {
  const resources = new AsyncDisposableStack();
  const exchangeName = exchange.protocol;
  const updates: MarketUpdate[] = [];
  let recovery: Recovery | undefined;
  const market = new Market({
    run: 1,
    publish: (update) => {
      updates.push(update);
      if (update.type === 'gap' && update.state === 'open') recovery?.fill(update);
    },
  });
  const setup = resources.use(
    await openTwinFeed({
      exchange,
      exchangeName,
      symbols,
      prepare,
      handle: (event) => {
        market.handle(event);
        if (event.type === 'connectionOpened') recovery?.opened(event.instruments);
      },
    }),
  );
  const { clock, feed, events } = setup;
  recovery = resources.use(
    new Recovery({
      rest: feed.rest,
      stored: undefined,
      handle: (event: MarketEvent) => {
        events.push(event);
        market.handle(event);
      },
      exchangeTime: () => market.exchangeTime(exchangeName, clock.now()),
      bounds: { historyCandles: 2, horizonMs: 86_400_000, tradesHorizonMs: 7_200_000 },
      reconcilePeriodMs: 60_000,
      clock,
      logger: silentLogger,
      random: () => 0.5,
    }),
  );
  const settled = recovery;
  /** The newest version of each closed candle, by its open time. */
  const candles = (timeframe: Timeframe): readonly Candle[] => {
    const newest = new Map<number, Candle>();
    for (const update of updates) {
      if (update.type !== 'candle' || update.candle.timeframe !== timeframe) continue;
      if (update.candle.isClosed) newest.set(update.candle.openTime, update.candle);
    }
    return [...newest.values()].toSorted((a, b) => a.openTime - b.openTime);
  };
  return {
    ...setup,
    market,
    updates,
    candles,
    gaps: () => updates.filter((update) => update.type === 'gap'),
    /** Moves both sides on in steps of half a second; a market looks at what is due in each. */
    pass: async (durationMs: number, beforeStep: () => void = () => {}) => {
      for (let passed = 0; passed < durationMs; passed += 500) {
        beforeStep();
        await setup.settle();
        await clock.advance(500);
        await setup.settle();
        market.tick(clock.now());
      }
    },
    isBusy: () => settled.busy > 0,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
