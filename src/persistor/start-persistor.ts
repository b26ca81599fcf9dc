import { LatencyHistogram } from '../base/latency-histogram.ts';
import { openMetrics } from '../base/metrics.ts';
import type { Running, Surroundings } from '../base/program.ts';
import { openServerClient } from '../rpc/client.ts';
import { openDatabase } from '../store/database.ts';
import { databaseAddress } from '../store/database-error.ts';
import type { PersistorConfig } from './config.ts';
import { followServer } from './follow-server.ts';
import { openMetricsListener } from './metrics-listener.ts';
import { Persistor } from './persistor.ts';
import { registerPersistorMetrics } from './persistor-counts.ts';
import { setWindow } from './set-window.ts';

/** One for the batches, one for the upkeep of the partitions. */
const poolSize = 2;

/** Starts to carry the server's closed candles into the database. Both may come later. */
export async function startPersistor(
  config: PersistorConfig,
  { clock, logger }: Pick<Surroundings, 'clock' | 'logger'>,
): Promise<Running> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(
    openDatabase({
      url: config.databaseUrl,
      program: 'tradewind-persistor',
      statementTimeoutMs: config.statementTimeoutMs,
      poolSize,
      clock,
      logger,
    }),
  );
  const client = stack.use(openServerClient(config.serverAddress, { clock }));
  logger.info(
    { server: config.serverAddress, database: databaseAddress(config.databaseUrl) },
    'Carrying candles from the server to the database',
  );
  const registry = openMetrics({ processMetrics: true });
  const written = new LatencyHistogram(
    registry,
    'tradewind_candle_written_seconds',
    'From the close of a candle to its commit',
  );
  const persistor = stack.use(
    new Persistor({
      name: config.name,
      follow: followServer(client.market, clock, logger),
      database,
      bounds: config.bounds,
      retention: config.retention,
      onWritten: (delay) => written.observe(delay),
      clock,
      logger,
    }),
  );
  stack.use(setWindow(database, config.aggregatorWindow, { clock, logger }));
  if (config.metricsPort > 0) {
    const { counts } = persistor;
    registerPersistorMetrics(registry, counts, () => persistor.uncommittedRows);
    stack.use(
      await openMetricsListener({
        host: config.metricsHost,
        port: config.metricsPort,
        registry,
        isReady: () => counts.isFollowing && counts.isStoring,
      }),
    );
  }
  const everything = stack.move();
  return { ended: persistor.ended, [Symbol.asyncDispose]: () => everything.disposeAsync() };
}
