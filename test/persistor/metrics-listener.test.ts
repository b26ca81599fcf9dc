import { expect, test } from 'vitest';
import { openMetrics } from '../../src/base/metrics.ts';
import { openMetricsListener } from '../../src/persistor/metrics-listener.ts';
import { PersistorCounts, registerPersistorMetrics } from '../../src/persistor/persistor-counts.ts';

test('metrics, life and readiness are told', async () => {
  const registry = openMetrics({ processMetrics: false });
  const counts = new PersistorCounts();
  registerPersistorMetrics(registry, counts, () => 7);
  await using listener = await openMetricsListener({
    host: '127.0.0.1',
    port: 0,
    registry,
    isReady: () => counts.isFollowing && counts.isStoring,
  });
  const get = (path: string) => fetch(`http://127.0.0.1:${listener.port}${path}`);

  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/readyz')).status).toBe(503);
  Object.assign(counts, { isFollowing: true, isStoring: true, written: 3, databaseFailures: 2 });
  expect((await get('/readyz')).status).toBe(200);
  const text = await (await get('/metrics')).text();
  expect(text).toContain('tradewind_persistor_candles_total{result="written"} 3');
  expect(text).toContain('tradewind_persistor_failures_total{of="database"} 2');
  expect(text).toContain('tradewind_persistor_uncommitted_rows 7');
  expect((await get('/')).status).toBe(404);
});
