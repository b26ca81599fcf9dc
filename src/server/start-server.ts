import { AggregatorService } from '../../gen/aggregator/aggregator_pb.ts';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import { repeat } from '../base/clock.ts';
import { openMetrics } from '../base/metrics.ts';
import { version } from '../base/program.ts';
import type { Running, Surroundings } from '../base/program.ts';
import { instrumentName } from '../domain/instrument.ts';
import type { MarketEvent } from '../domain/market-event.ts';
import { AddressBudgets } from '../exchange/address-budget.ts';
import { binance } from '../exchange/binance.ts';
import { openFeed } from '../exchange/feed.ts';
import type { Feed } from '../exchange/feed.ts';
import { Recovery } from '../exchange/recovery.ts';
import { Market } from '../market/market.ts';
import { AggregatorAdapter } from '../rpc/aggregator-service.ts';
import { InstrumentDirectory } from '../rpc/instrument-directory.ts';
import { openListener } from '../rpc/listener.ts';
import { MarketBroadcast } from '../rpc/market-broadcast.ts';
import { marketService } from '../rpc/market-service.ts';
import { systemService } from '../rpc/system-service.ts';
import type { ServerConfig } from './config.ts';
import { readinessOf, statusesOf } from './instrument-statuses.ts';
import { openCapture } from './open-capture.ts';
import { TradeLatency, registerServerMetrics } from './server-metrics.ts';
import { nextRun, openHistory, storedCandles } from './stored-history.ts';

export interface RunningServer extends Running {
  readonly port: number;
  /** http://127.0.0.1:8080 */
  readonly url: string;
}

/** How often open candles go out. */
const flushMs = 100;

/** What was missed within this is asked for trade by trade: at a page a thousand that is affordable. */
const tradesHorizonMs = 2 * 3_600_000;

/** Starts the server: exchange → market → rpc, as in the README's map. */
export async function startServer(
  config: ServerConfig,
  { clock, logger }: Surroundings,
): Promise<RunningServer> {
  await using stack = new AsyncDisposableStack();
  const metrics = openMetrics({ processMetrics: true });

  const history = openHistory(config, { clock, logger }, stack);
  const run = await nextRun(history, clock, logger);

  const exchangeName = config.mode === 'TEST' ? 'sim-binance' : 'binance';
  const symbols = [...new Set(config.symbols.map((symbol) => binance.symbolOf(symbol)))];
  const directory = new InstrumentDirectory(
    symbols.map((symbol) => instrumentName(exchangeName, symbol)),
    exchangeName,
  );

  let recovery: Recovery | undefined;
  const market = new Market({
    run,
    limits: { maximumRetained: config.maxRetainedCandles },
    publish: (update) => {
      broadcast.publish(update);
      aggregator.publish(update);
      if (update.type === 'gap' && update.state === 'open') recovery?.fill(update);
    },
  });
  const readerLimits = {
    maxPendingBytes: config.maxReaderBytes,
    maxSubscriptions: config.maxReaders,
  };
  const broadcast = new MarketBroadcast(market.log, clock, readerLimits);
  const aggregator = new AggregatorAdapter(exchangeName, clock, readerLimits);

  const feeds: Feed[] = [];
  const statuses = () => statusesOf(market, directory, feeds, clock.now());
  const limitsOf = (name: string) => feeds[0]?.limits().get(name);
  const latency = new TradeLatency(metrics);
  registerServerMetrics(metrics, { market, broadcast, statuses, feeds: () => feeds });

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
        router.service(
          MarketService,
          marketService({ market, broadcast, directory, history, clock, limitsOf, statuses }),
        );
        const info = { version, run, startTime: clock.now(), mode: config.mode };
        router.service(SystemService, systemService({ ...info, defaultExchange: exchangeName }));
        router.service(AggregatorService, aggregator.service);
      },
      clock,
      logger,
      metrics,
    }),
  );
  // Before the listener stops, so that every stream ends with a cursor and a reason.
  stack.use(aggregator);
  stack.use(broadcast);
  stack.defer(() => listener.stopServing());

  stack.use(repeat(clock, flushMs, () => market.tick(clock.now())));
  const handle = (event: MarketEvent) => {
    market.handle(event);
    latency.observe(event, clock.now());
    if (event.type === 'connectionOpened') recovery?.opened(event.instruments);
  };
  // Before the feed, so that it is closed after it.
  const surroundings = { clock, logger, metrics };
  const capture = await openCapture(config, exchangeName, surroundings, stack);
  const { webSocketBaseUrl, restBaseUrl, restTimeoutMs } = config;
  const settings = { webSocketBaseUrl, restBaseUrl, restTimeoutMs };
  const random = Math.random;
  const feed = {
    exchange: binance,
    exchangeName,
    symbols,
    handle,
    clock,
    logger,
    random,
    settings,
    budgets: new AddressBudgets(clock),
    onFrame: capture?.take,
  };
  const opened = stack.use(openFeed(feed));
  feeds.push(opened);
  recovery = stack.use(
    new Recovery({
      rest: opened.rest,
      stored: storedCandles(history),
      handle: (event) => market.handle(event),
      exchangeTime: () => market.exchangeTime(clock.now()),
      bounds: {
        historyCandles: config.historyCandles,
        horizonMs: config.backfillHorizonMs,
        tradesHorizonMs,
      },
      reconcilePeriodMs: config.reconcilePeriodMs,
      clock,
      random,
      logger,
    }),
  );

  logger.info({ url: listener.url, mode: config.mode, run, symbols }, 'Serving');
  const owned = stack.move();
  return {
    port: listener.port,
    url: listener.url,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
