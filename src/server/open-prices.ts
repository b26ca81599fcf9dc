import { LogLimiter } from '../base/log-limiter.ts';
import type { Registry } from '../base/metrics.ts';
import type { Surroundings } from '../base/program.ts';
import { splitInstrumentName } from '../domain/instrument.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Market } from '../market/market.ts';
import type { MarketUpdate } from '../market/market-update.ts';
import { PriceBook } from '../market/price-book.ts';
import type { StoredPrices } from '../market/price-history.ts';
import type { ReaderLimits } from '../rpc/broadcast/broadcast-stream.ts';
import { PriceBroadcast } from '../rpc/price/price-broadcast.ts';
import { PriceInstruments } from '../rpc/price/price-instruments.ts';
import { priceService } from '../rpc/price/price-service.ts';
import { inOutage } from '../rpc/store-outage.ts';
import type { CandleReader } from '../store/candle/candle-store.ts';
import { connectToRedis } from '../store/price/price-cache-redis.ts';
import { PriceCache } from '../store/price/price-cache.ts';
import type { CacheStatus } from '../store/price/price-cache.ts';
import { registerPriceMetrics } from './price-metrics.ts';
import type { PriceCacheConfig } from './price-settings.ts';

/** What the instruments of the market cost: served, streamed and shared. */
export type OpenPrices = {
  readonly service: ReturnType<typeof priceService>;
  /** To be called for every update of the market, as it is published. */
  readonly publish: (update: MarketUpdate) => void;
  readonly broadcast: PriceBroadcast;
  /** How the cache that prices are shared through is. */
  readonly cacheStatus: () => CacheStatus;
};

export type OpenPricesParts = {
  readonly market: Market;
  /** The instruments that are followed now. */
  readonly names: () => readonly InstrumentName[];
  readonly history: CandleReader | undefined;
  readonly cache: PriceCacheConfig | undefined;
  readonly readerLimits: ReaderLimits;
};

/** How often it is logged that statistics do without the store. */
const logPeriodMs = 60_000;

/** Opens the prices; the cache is closed with the stack, the broadcast by whoever ends the streams. */
export function openPrices(
  { market, names, history, cache: cacheConfig, readerLimits }: OpenPricesParts,
  { clock, logger, metrics }: Surroundings & { readonly metrics: Registry },
  stack: AsyncDisposableStack,
): OpenPrices {
  const limiter = new LogLimiter(clock, logPeriodMs);
  let storeOutages = 0;
  const onStoreOutage = (error: Error) => {
    storeOutages++;
    const due = limiter.due('store');
    if (due !== undefined) logger.warn({ ...due, err: error }, 'Prices are told without the store');
  };
  const book = new PriceBook({ market, stored: storedPrices(history), clock, onStoreOutage });
  const broadcast = new PriceBroadcast({
    latestTrade: (name) => book.latestTrade([name]),
    names,
    clock,
    limits: readerLimits,
  });
  const latestTrades = () =>
    names()
      .map((name) => book.latestTrade([name]))
      .filter((trade) => trade !== undefined);
  const cache =
    cacheConfig &&
    stack.use(
      new PriceCache({
        connect: (signal) => connectToRedis({ ...cacheConfig, clock }, signal),
        latestTrades,
        writePeriodMs: cacheConfig.writePeriodMs,
        timeoutMs: cacheConfig.timeoutMs,
        clock,
        logger,
      }),
    );
  registerPriceMetrics(metrics, { cache, storeOutages: () => storeOutages });
  const instruments = new PriceInstruments(names);
  return {
    service: priceService({ book, instruments, broadcast, shared: cache }),
    publish: (update) => {
      broadcast.publish(update);
      if (update.type === 'trade') cache?.offer(update);
    },
    broadcast,
    cacheStatus: () => cache?.status ?? { state: 'off', reason: 'No Redis is configured' },
  };
}

/** What is stored, as statistics of prices ask for it. */
function storedPrices(history: CandleReader | undefined): StoredPrices | undefined {
  if (history === undefined) return undefined;
  return {
    newest: (instrument, timeframe, { from, to, limit }) => {
      const { exchange = '', symbol } = splitInstrumentName(instrument);
      const query = { exchange, symbol, timeframe, from, to, limit, newestFirst: true };
      return inOutage(history.listCandles(query));
    },
  };
}
