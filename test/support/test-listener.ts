import type { ConnectRouter } from '@connectrpc/connect';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openMetrics } from '../../src/base/metrics.ts';
import { openListener } from '../../src/rpc/listener.ts';
import type { Listener, ListenerOptions } from '../../src/rpc/listener.ts';

/** Opens a listener on a free loopback port, with services that answer without a market. */
export function openTestListener(options: Partial<ListenerOptions> = {}): Promise<Listener> {
  return openListener({
    host: '127.0.0.1',
    port: 0,
    routes: echoRoutes,
    corsAllowedOrigins: [],
    logger: silentLogger,
    clock: systemClock,
    metrics: openMetrics({ processMetrics: false }),
    graceMs: 0,
    ...options,
  });
}

/** Services whose answers show what was asked; streams end by themselves. */
export function echoRoutes(router: ConnectRouter): void {
  router.service(SystemService, {
    getServerInfo: () => ({ version: '1.2.3', defaultExchange: 'sim-binance' }),
  });
  router.service(MarketService, {
    listInstruments: ({ exchange }) => ({ instruments: [{ name: `${exchange}:BTCUSDT` }] }),
    async *streamTrades({ instruments }) {
      for (const instrument of instruments) {
        yield { event: { case: 'trade', value: { instrument, price: '100' } } };
      }
    },
  });
}
