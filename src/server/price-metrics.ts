import { readCounter } from '../base/metrics.ts';
import type { Registry } from '../base/metrics.ts';
import type { CacheCounters } from '../store/price/price-cache.ts';

const cacheCounterHelp: Readonly<Record<keyof CacheCounters, string>> = {
  written: 'Prices that Redis has taken',
  refusals: 'Writes that Redis has refused: it is full, say',
  timeouts: 'Answers of Redis that did not come in time',
  connections: 'Connections to Redis that answered, the first among them',
  failures: 'Connections to Redis that were lost or could not be had',
};

/** Shows the cache of prices in /metrics, and how often statistics had to do without the store. */
export function registerPriceMetrics(
  registry: Registry,
  parts: {
    /** undefined where none is configured: then nothing is shown of it. */
    readonly cache: { readonly counters: CacheCounters } | undefined;
    readonly storeOutages: () => number;
  },
): void {
  const { cache, storeOutages } = parts;
  readCounter(registry, {
    name: 'tradewind_price_store_outages_total',
    help: 'Statistics of prices that were made of memory alone, for the store did not answer',
    read: storeOutages,
  });
  if (cache === undefined) return;
  for (const [counter, help] of Object.entries(cacheCounterHelp)) {
    readCounter(registry, {
      name: `tradewind_cache_${counter}_total`,
      help,
      read: () => cache.counters[counter as keyof CacheCounters],
    });
  }
}
