import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { OrderService } from '../../gen/tradewind/order/v1/order_service_pb.ts';
import { eventually } from '../support/eventually.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { openSimulatedServer } from './simulated-server.ts';
import type { SimulatedServer } from './simulated-server.ts';

/** A simulated server with a database of its own, which takes orders on BTCUSDT, ETHUSDT and LTCBTC. */
export async function openOrderServer(): Promise<SimulatedServer> {
  const symbols = ['BTCUSDT', 'ETHUSDT', 'LTCBTC'];
  const server = await openSimulatedServer({
    DATABASE_URL: await createTestDatabase(),
    BINANCE_SYMBOLS: symbols.join(' '),
    // An exchange’s klines tell no averages: those of a moment ago are known without them.
    HISTORY_CANDLES: '0',
    // LIVE mode is there to be gone over to, and finds nobody.
    BINANCE_WEBSOCKET_BASE_URL: 'ws://127.0.0.1:1',
    BINANCE_REST_BASE_URL: 'http://127.0.0.1:1',
  });
  const transport = createGrpcTransport({ baseUrl: server.url });
  const orders = createClient(OrderService, transport);
  // Shards are taken after the start.
  for (const instrument of symbols) {
    await eventually(() => orders.cancelAllOrders({ account: 'nobody', instrument }));
  }
  return server;
}
