import { AggregatorService } from '../../gen/aggregator/aggregator_pb.ts';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { PriceService } from '../../gen/tradewind/market/v1/price_service_pb.ts';
import { OrderService } from '../../gen/tradewind/order/v1/order_service_pb.ts';
import { PositionService } from '../../gen/tradewind/position/v1/position_service_pb.ts';
import { SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import { repeat } from '../base/clock.ts';
import { openMetrics } from '../base/metrics.ts';
import { version } from '../base/program.ts';
import type { Running, Surroundings } from '../base/program.ts';
import { Market } from '../market/market.ts';
import { AggregatorAdapter } from '../rpc/market/aggregator-service.ts';
import { executionsAdapter } from '../rpc/position/executions-adapter.ts';
import { healthAdapter } from '../rpc/system/health-adapter.ts';
import { openListener } from '../rpc/listener.ts';
import { MarketBroadcast } from '../rpc/market/market-broadcast.ts';
import { marketService } from '../rpc/market/market-service.ts';
import { orderService } from '../rpc/order/order-service.ts';
import { positionService } from '../rpc/position/position-service.ts';
import { refusedService } from '../rpc/refused-service.ts';
import { systemService } from '../rpc/system/system-service.ts';
import { limitOrderAdapter } from '../rpc/trade-executor/limit-order.ts';
import { sellOrderAdapter } from '../rpc/trade-executor/sell-order.ts';
import type { ServerConfig } from './config.ts';
import { readinessOf, statusesOf } from './instrument-statuses.ts';
import { modeToStartIn } from './kept-mode.ts';
import { OpenGaps } from './open-gaps.ts';
import { directoryOf, openModes } from './open-modes.ts';
import { openOrders } from './open-orders.ts';
import { openPositions } from './open-positions.ts';
import { openPrices } from './open-prices.ts';
import { openSystem } from './open-system.ts';
import { healthOf } from './server-health.ts';
import { TradeLatency, registerServerMetrics } from './server-metrics.ts';
import { nextRun, openHistory } from './stored-history.ts';

export interface RunningServer extends Running {
  readonly port: number;
  /** http://127.0.0.1:8080 */
  readonly url: string;
}

/** How often open candles go out. */
const flushMs = 100;

const withoutDatabase = 'Orders and positions need a database to be kept in: set DATABASE_URL';

const nothingCompared = { compared: 0, equal: 0, mended: 0 };

/** Starts the server: exchange → market → rpc, as in the README's map. */
export async function startServer(
  config: ServerConfig,
  { clock, logger }: Surroundings,
): Promise<RunningServer> {
  await using stack = new AsyncDisposableStack();
  const metrics = openMetrics({ processMetrics: true });

  const history = openHistory(config, { clock, logger }, stack);
  const run = await nextRun(history, clock, logger);

  const system = openSystem(config, { clock, logger }, stack);
  const mode = await modeToStartIn(config.mode, system.modes, logger);
  const directory = directoryOf(config.exchanges, mode);
  const gaps = new OpenGaps();
  const market = new Market({
    run,
    limits: { maximumRetained: config.maxRetainedCandles },
    publish: (update) => {
      broadcast.publish(update);
      aggregator.publish(update);
      prices.publish(update);
      if (update.type === 'gap') {
        gaps.note(update);
        if (update.state === 'open') modes.of(update.instrument)?.recovery.fill(update);
      }
      orders?.handle(update);
    },
    onConnections: () => orders?.handleConnections(),
  });
  const readerLimits = {
    maxPendingBytes: config.maxReaderBytes,
    maxSubscriptions: config.maxReaders,
  };
  const broadcast = new MarketBroadcast(market.log, clock, readerLimits);
  const aggregator = new AggregatorAdapter(() => directory.defaultExchange, clock, readerLimits);
  const prices = openPrices(
    { market, names: () => directory.names, history, cache: config.priceCache, readerLimits },
    { clock, logger, metrics },
    stack,
  );

  const latency = new TradeLatency(metrics);
  const { modes, start: startFeeds } = openModes(
    config,
    { mode, market, directory, latency, history, gaps, store: system.modes },
    { clock, logger, metrics },
  );
  const feeds = () => modes.feeds;
  const statuses = () => statusesOf(market, directory, feeds(), clock.now());
  const limitsOf = (name: string) => modes.of(name)?.feed.limits().get(name);
  const auditOf = (name: string) => modes.of(name)?.audit.counts(name) ?? nothingCompared;
  const restOf = (name: string) => modes.restOf(name);
  const orderMarket = {
    bookTicker: (name: string) => market.bookTicker(name),
    outageOf: (name: string) => {
      const outage = market.outageOf(name);
      return outage && (modes.whyOff(name) ?? outage);
    },
  };
  const orderParts = { market: orderMarket, limitsOf, restOf, directory };
  const orders = openOrders(config, orderParts, { clock, logger, metrics }, stack);
  const positions =
    orders && openPositions(config, { market, directory, ...orders }, { clock, logger }, stack);
  registerServerMetrics(metrics, { market, broadcast, statuses, feeds, auditOf });

  const health = async () =>
    healthOf({
      mode: modes.mode,
      exchanges: config.exchanges,
      feeds: feeds(),
      statuses: statuses(),
      ...(await system.check()),
      cache: prices.cacheStatus(),
      orderTrouble: orders?.trouble(),
    });

  const listener = stack.use(
    await openListener({
      host: config.host,
      port: config.port,
      tls: config.tls,
      corsAllowedOrigins: config.corsAllowedOrigins,
      limits: {
        maxConnections: config.maxConnections,
        maxConnectionsPerAddress: config.maxConnectionsPerAddress,
        maxConcurrentStreams: config.maxStreamsPerConnection,
        readMaxBytes: config.maxMessageBytes,
      },
      graceMs: config.shutdownGraceMs,
      readiness: () => readinessOf(statuses()),
      routes: (router) => {
        const whenHistoryRead = (signal: AbortSignal) => modes.whenHistoryRead(signal);
        const known = { limitsOf, auditOf, statuses, whenHistoryRead };
        const service = marketService({ market, broadcast, directory, history, clock, ...known });
        router.service(MarketService, service);
        router.service(PriceService, prices.service);
        router.service(
          OrderService,
          orders === undefined
            ? refusedService(OrderService, withoutDatabase)
            : orderService(orders.service),
        );
        router.service(
          PositionService,
          positions === undefined
            ? refusedService(PositionService, withoutDatabase)
            : positionService(positions),
        );
        const info = { version, run, startTime: clock.now() };
        router.service(SystemService, systemService({ info, modes, health }));
        router.service(AggregatorService, aggregator.service);
      },
      restAdapters: [
        limitOrderAdapter({ ...config.orders, ends: orders?.ends }),
        sellOrderAdapter,
        executionsAdapter,
        healthAdapter,
      ],
      clock,
      logger,
      metrics,
    }),
  );
  // Before the listener stops, so that every stream ends with a cursor and a reason.
  stack.use(aggregator);
  stack.use(broadcast);
  stack.use(prices.broadcast);
  orders?.start(listener.url, stack);
  if (positions !== undefined) stack.use(positions.stream);
  stack.defer(() => listener.stopServing());

  stack.use(repeat(clock, flushMs, () => market.tick(clock.now())));
  await startFeeds(stack);

  const { names } = directory;
  logger.info({ url: listener.url, mode: modes.mode, run, instruments: names }, 'Serving');
  const owned = stack.move();
  return {
    port: listener.port,
    url: listener.url,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
