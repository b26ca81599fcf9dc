import { expect, test } from 'vitest';
import { openMetrics, readCounter, readGauge } from '../../src/base/metrics.ts';

test('values are read when they are asked for', async () => {
  const registry = openMetrics({ processMetrics: false });
  let trades = 0;
  readCounter(registry, { name: 'trades_total', help: 'Trades', read: () => trades });
  trades = 3;
  expect(await registry.metrics()).toContain('trades_total 3\n');
  trades = 5;
  expect(await registry.metrics()).toContain('trades_total 5\n');
});

test('samples carry labels, and are gone when they are not read any more', async () => {
  const registry = openMetrics({ processMetrics: false });
  const feeds = new Map([
    ['BTCUSDT', 1],
    ['ETHUSDT', 2],
  ]);
  readGauge(registry, {
    name: 'feed_age_seconds',
    help: 'Age',
    labelNames: ['symbol'],
    read: () => [...feeds].map(([symbol, age]) => [{ symbol }, age] as const),
  });
  expect(await registry.metrics()).toContain('feed_age_seconds{symbol="BTCUSDT"} 1\n');
  feeds.delete('BTCUSDT');
  const text = await registry.metrics();
  expect(text).not.toContain('BTCUSDT');
  expect(text).toContain('feed_age_seconds{symbol="ETHUSDT"} 2\n');
});

test('the process’s own metrics are there where they are wanted', async () => {
  const text = await openMetrics({ processMetrics: true }).metrics();
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  expect(text).toContain('process_resident_memory_bytes');
});
