import { expect, test } from 'vitest';
import { openMetrics } from '../../src/base/metrics.ts';
import { registerPriceMetrics } from '../../src/server/price-metrics.ts';

async function linesOf(parts: Parameters<typeof registerPriceMetrics>[1]): Promise<string[]> {
  const metrics = openMetrics({ processMetrics: false });
  registerPriceMetrics(metrics, parts);
  return (await metrics.metrics()).split('\n').filter((line) => /^[a-z]/u.test(line));
}

test('what becomes of the cache is counted, and how often the store did not answer', async () => {
  const counters = { written: 5, refusals: 4, timeouts: 3, connections: 2, failures: 1 };
  expect(await linesOf({ cache: { counters }, storeOutages: () => 7 })).toEqual([
    'tradewind_price_store_outages_total 7',
    'tradewind_cache_written_total 5',
    'tradewind_cache_refusals_total 4',
    'tradewind_cache_timeouts_total 3',
    'tradewind_cache_connections_total 2',
    'tradewind_cache_failures_total 1',
  ]);
});

test('of a cache that is not configured nothing is shown', async () => {
  expect(await linesOf({ cache: undefined, storeOutages: () => 0 })).toEqual([
    'tradewind_price_store_outages_total 0',
  ]);
});
