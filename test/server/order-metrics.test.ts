import { expect, test } from 'vitest';
import { openMetrics } from '../../src/base/metrics.ts';
import { registerOrderMetrics } from '../../src/server/order-metrics.ts';
import { TwinWorld, aRequest } from '../support/twin-desk.ts';

test('what happens to orders is counted, and how the shards are is shown', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const metrics = openMetrics({ processMetrics: false });
  registerOrderMetrics(metrics, manager);
  await manager.submit(aRequest());
  const { order } = await manager.submit(aRequest({ limitPrice: '200' }));
  await manager.submit(aRequest({ limitPrice: '200' }));
  await manager.cancel(order);
  world.ticker({ bid: ['100', '1'] });
  world.log.faults.push('lost');
  await world.settle();
  const lines = (await metrics.metrics()).split('\n').filter((line) => /^[a-z]/u.test(line));
  expect(lines).toEqual([
    'tradewind_order_events_total{type="accepted"} 3',
    'tradewind_order_events_total{type="filled"} 1',
    'tradewind_order_events_total{type="canceled"} 1',
    'tradewind_order_events_total{type="expired"} 0',
    'tradewind_order_shard_reloads_total 1',
    'tradewind_order_tickers_asked_total 0',
    'tradewind_order_shards{state="owned"} 16',
    'tradewind_order_shards{state="deciding"} 16',
    'tradewind_open_orders 1',
    'tradewind_uncommitted_order_events 0',
  ]);
});
