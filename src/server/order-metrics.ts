import { readCounter, readGauge } from '../base/metrics.ts';
import type { Registry } from '../base/metrics.ts';
import type { OrderManager } from '../order/order-manager.ts';

/** Shows orders in /metrics; all values are read when asked for. */
export function registerOrderMetrics(
  registry: Registry,
  manager: Pick<OrderManager, 'counters' | 'state'>,
): void {
  readCounter(registry, {
    name: 'tradewind_order_events_total',
    help: 'What happened to orders of this server’s shards, as it is stored',
    labelNames: ['type'],
    read: () => {
      const { accepted, filled, canceled, expired } = manager.counters;
      return Object.entries({ accepted, filled, canceled, expired }).map(
        ([type, count]) => [{ type }, count] as const,
      );
    },
  });
  readCounter(registry, {
    name: 'tradewind_order_shard_reloads_total',
    help: 'Shards loaded again because a commit failed or halts have changed',
    read: () => manager.counters.reloads,
  });
  readCounter(registry, {
    name: 'tradewind_order_tickers_asked_total',
    help: 'Fresh book tickers that exchanges were asked for',
    read: () => manager.counters.tickersAsked,
  });
  readGauge(registry, {
    name: 'tradewind_order_shards',
    help: 'Shards that are this server’s, and how many of them decide',
    labelNames: ['state'],
    read: () => {
      const { shards, deciding } = manager.state();
      return [
        [{ state: 'owned' }, shards],
        [{ state: 'deciding' }, deciding],
      ];
    },
  });
  readGauge(registry, {
    name: 'tradewind_open_orders',
    help: 'Open orders of this server’s shards',
    read: () => manager.state().openOrders,
  });
  readGauge(registry, {
    name: 'tradewind_uncommitted_order_events',
    help: 'Decided and on their way to the log',
    read: () => manager.state().uncommitted,
  });
}
