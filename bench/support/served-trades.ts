import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openMetrics } from '../../src/base/metrics.ts';
import { Market } from '../../src/market/market.ts';
import { InstrumentDirectory } from '../../src/rpc/instrument-directory.ts';
import { openListener } from '../../src/rpc/listener.ts';
import { MarketBroadcast } from '../../src/rpc/market/market-broadcast.ts';
import { marketService } from '../../src/rpc/market/market-service.ts';

export type ServedTrades = AsyncDisposable & {
  readonly port: number;
  readonly broadcast: MarketBroadcast;
};

/** The server's own MarketService and listener, with their default bounds; no exchange. */
export async function serveTrades(instruments: readonly string[]): Promise<ServedTrades> {
  const market = new Market({ run: 1, publish: () => {} });
  const broadcast = new MarketBroadcast(market.log, systemClock);
  const parts = {
    market,
    broadcast,
    directory: new InstrumentDirectory(instruments, 'binance'),
    history: undefined,
    whenHistoryRead: () => Promise.resolve(),
    clock: systemClock,
    limitsOf: () => undefined,
    auditOf: () => ({ compared: 0, equal: 0, mended: 0 }),
    statuses: () => [],
  };
  const listener = await openListener({
    host: '127.0.0.1',
    port: 0,
    routes: (router) => router.service(MarketService, marketService(parts)),
    corsAllowedOrigins: [],
    logger: silentLogger,
    clock: systemClock,
    metrics: openMetrics({ processMetrics: false }),
    graceMs: 0,
  });
  return {
    port: listener.port,
    broadcast,
    [Symbol.asyncDispose]: async () => {
      broadcast[Symbol.dispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}
