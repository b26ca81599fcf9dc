import { randomUUID } from 'node:crypto';
import type { Registry } from '../base/metrics.ts';
import type { Surroundings } from '../base/program.ts';
import type { MarketUpdate } from '../market/market-update.ts';
import type { ReachPoint } from '../order/crash-points.ts';
import { OrderManager } from '../order/order-manager.ts';
import type { InstrumentDirectory } from '../rpc/instrument-directory.ts';
import { OrderEnds } from '../rpc/order/order-ends.ts';
import { OrderForwarding } from '../rpc/order/order-forwarding.ts';
import type { OrderServiceParts } from '../rpc/order/order-service.ts';
import { OrderStream } from '../rpc/order/order-stream.ts';
import { HaltStore } from '../store/order/halt-store.ts';
import { openLogTail } from '../store/order/log-tail.ts';
import type { LogTail } from '../store/order/log-tail.ts';
import { OrderLogStore } from '../store/order/order-log-store.ts';
import { OrderReader } from '../store/order/order-reader.ts';
import { ShardLeaseStore } from '../store/order/shard-lease-store.ts';
import { advertisedUrl } from './advertised-url.ts';
import type { ServerConfig } from './config.ts';
import { MarketOfOrders } from './market-of-orders.ts';
import type { MarketOfOrdersOptions } from './market-of-orders.ts';
import { openOrderDatabases } from './order-databases.ts';
import { registerOrderMetrics } from './order-metrics.ts';

export type OpenOrdersParts = Pick<MarketOfOrdersOptions, 'market' | 'limitsOf' | 'restOf'> & {
  readonly directory: InstrumentDirectory;
};

/** Orders on a server that has a database to keep them in. */
export type OpenOrders = {
  readonly service: OrderServiceParts;
  /** Tells when single orders are at their end. */
  readonly ends: OrderEnds;
  /** Where all of it is kept. */
  readonly url: string;
  /** Tells what is committed, on any server of the database. */
  readonly tail: LogTail;
  /** To be called with every update of the market, as it is published. */
  handle(update: MarketUpdate): void;
  /** To be called after a connection was opened or lost. */
  handleConnections(): void;
  /** Why this server takes no shards, in words; undefined where it does. */
  trouble(): string | undefined;
  /** Takes shards from now on, to be found at this URL; `stack` lets them go, and ends the streams. */
  start(url: string, stack: AsyncDisposableStack): void;
};

/** Opens what is known of orders; without DATABASE_URL there is nothing. `stack` closes it. */
export function openOrders(
  {
    host,
    orderDatabaseUrl: url,
    statementTimeoutMs,
    maxReaderBytes,
    maxReaders,
    orders,
  }: ServerConfig,
  { directory, ...parts }: OpenOrdersParts,
  { clock, logger, metrics }: Surroundings & { readonly metrics: Registry },
  stack: AsyncDisposableStack,
): OpenOrders | undefined {
  if (url === undefined) return undefined;
  const surroundings = { clock, logger };
  const databases = openOrderDatabases({ url, statementTimeoutMs }, surroundings, stack);
  const { tail: database, readers } = databases;
  const tail = stack.use(openLogTail({ database, readers, url, ...surroundings }));

  const market = stack.use(new MarketOfOrders({ ...parts, ...surroundings }));
  const reader = new OrderReader(readers);
  const manager = new OrderManager({
    log: new OrderLogStore(databases.log),
    orders: new OrderReader(databases.desk),
    market,
    limits: orders,
    random: Math.random,
    reach: reachOf(orders),
    ...surroundings,
  });
  registerOrderMetrics(metrics, manager);
  const limits = { maxPendingBytes: maxReaderBytes, maxSubscriptions: maxReaders };
  const stream = new OrderStream(tail, reader, clock, limits);
  const ends = new OrderEnds(tail, clock);
  const forwarding = stack.use(new OrderForwarding(clock));
  return {
    service: {
      desk: manager,
      orders: reader,
      halts: new HaltStore(databases.desk),
      stream,
      forwarding,
      directory,
      hasQuantities: (instrument) => parts.restOf(instrument)?.facts.hasQuantities !== false,
    },
    ends,
    url,
    tail,
    handle: (update) => {
      if (update.type === 'bookTicker') manager.handleTicker(update);
      else if (update.type === 'gap' && update.state === 'open') {
        market.noteMissed(update.instrument);
        manager.handleMarketChange();
      }
    },
    handleConnections: () => manager.handleMarketChange(),
    trouble: () => manager.trouble,
    start: (ownUrl, stack) => {
      const address = advertisedUrl({ host, orders }, ownUrl, logger);
      const leases = { database: databases.leases, clock, owner: randomUUID(), address };
      stack.use(stream);
      stack.use(ends);
      stack.use(manager);
      manager.start(new ShardLeaseStore(leases));
    },
  };
}

/** Where a test says so, the process ends in the middle of things, as it would for lack of power. */
function reachOf({ crashAt }: ServerConfig['orders']): ReachPoint {
  return (point) => {
    if (point === crashAt) process.kill(process.pid, 'SIGKILL');
  };
}
