import { AggregatorService } from '../../gen/aggregator/aggregator_pb.ts';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import { repeat } from '../base/clock.ts';
import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { openMetrics } from '../base/metrics.ts';
import { version } from '../base/program.ts';
import type { Running, Surroundings } from '../base/program.ts';
import { instrumentName } from '../domain/instrument.ts';
import type { MarketEvent } from '../domain/market-event.ts';
import { binance } from '../exchange/binance.ts';
import { openFeed } from '../exchange/feed.ts';
import type { Feed } from '../exchange/feed.ts';
import type { InstrumentStatus } from '../market/instrument-state.ts';
import { Market } from '../market/market.ts';
import { AggregatorAdapter } from '../rpc/aggregator-service.ts';
import { InstrumentDirectory } from '../rpc/instrument-directory.ts';
import { openListener } from '../rpc/listener.ts';
import { MarketBroadcast } from '../rpc/market-broadcast.ts';
import { marketService } from '../rpc/market-service.ts';
import { systemService } from '../rpc/system-service.ts';
import { CandleReader } from '../store/candle-store.ts';
import { openDatabase } from '../store/database.ts';
import type { ServerConfig } from './config.ts';
import { TradeLatency, registerServerMetrics } from './server-metrics.ts';

export interface RunningServer extends Running {
  readonly port: number;
  /** http://127.0.0.1:8080 */
  readonly url: string;
}

/** How often open candles go out. */
const flushMs = 100;

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

  const market = new Market({
    run,
    limits: { maximumRetained: config.maxRetainedCandles },
    publish: (update) => {
      broadcast.publish(update);
      aggregator.publish(update);
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
  };
  const { webSocketBaseUrl, restBaseUrl } = config;
  const settings = { webSocketBaseUrl, restBaseUrl };
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
  };
  feeds.push(stack.use(openFeed(feed)));

  logger.info({ url: listener.url, mode: config.mode, run, symbols }, 'Serving');
  const owned = stack.move();
  return {
    port: listener.port,
    url: listener.url,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function openHistory(
  { databaseUrl }: ServerConfig,
  { clock, logger }: Surroundings,
  stack: AsyncDisposableStack,
): CandleReader | undefined {
  if (databaseUrl === undefined) return undefined;
  return new CandleReader(
    stack.use(openDatabase({ url: databaseUrl, program: 'tradewind-server', clock, logger })),
  );
}

/** Runs rise, also where a clock was set back: storage keeps the candle of the later run. */
async function nextRun(
  history: CandleReader | undefined,
  clock: Clock,
  logger: Logger,
): Promise<Micros> {
  const now = clock.now();
  try {
    return Math.max(now, ((await history?.latestRun()) ?? 0) + 1);
  } catch (error) {
    // Market data does not wait for the database.
    logger.warn({ err: error }, 'The stored runs cannot be read, going by the clock');
    return now;
  }
}

/** Every instrument's status; one that no connection has announced is down for its feed's reason. */
function statusesOf(
  market: Market,
  directory: InstrumentDirectory,
  feeds: readonly Feed[],
  now: Micros,
): readonly InstrumentStatus[] {
  const announced = new Map(market.statuses(now).map((status) => [status.instrument, status]));
  const reason = feeds[0]?.status().reason ?? 'Not connected yet';
  return directory.names.map((instrument) => {
    const status = announced.get(instrument);
    if (status !== undefined && status.state !== 'down') return status;
    return {
      lastTrade: undefined,
      tradesReceived: 0,
      tradesMissing: 0,
      ...status,
      instrument,
      state: 'down',
      reason,
    };
  });
}

function readinessOf(statuses: readonly InstrumentStatus[]): readonly string[] {
  if (statuses.some(({ state }) => state !== 'down')) return [];
  return [`No feed is connected: ${statuses[0]?.reason ?? 'nothing is followed'}`];
}
