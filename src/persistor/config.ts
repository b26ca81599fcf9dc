import { choice, integer, logLevel, port, readSettings, text } from '../base/env.ts';
import type { Environment, Setting } from '../base/env.ts';
import type { LogLevel } from '../base/logger.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import { timeframes } from '../domain/timeframe.ts';
import { parseServerAddress } from '../rpc/client.ts';
import {
  databasePartSettings,
  requiredDatabaseSettings,
  withDatabaseUrl,
} from '../store/config.ts';
import type { Retention } from '../store/candle/partitions.ts';
import type { BatchBounds } from './batch-buffer.ts';

/** RETENTION_1S … RETENTION_1W, and RETENTION_1MO for the month, as 1M is the minute. */
const retentionKey = (timeframe: Timeframe) =>
  `RETENTION_${timeframe === '1M' ? '1MO' : timeframe.toUpperCase()}`;

const retentionSettings = Object.fromEntries(
  timeframes.map((timeframe): [string, Setting<number>] => [
    retentionKey(timeframe),
    {
      schema: integer(timeframe === '1s' ? 7 : 0, 0, 36_500),
      description: `How many days ${timeframe} candles are kept; 0 is for ever, older ones are dropped`,
    },
  ]),
);

const ownSettings = {
  SERVER_ADDRESS: {
    schema: text('127.0.0.1:8080').transform((value, context): string => {
      try {
        parseServerAddress(value ?? '');
      } catch (error) {
        context.addIssue((error as Error).message);
      }
      return value ?? '';
    }),
    description: 'The server to follow, as host:port or a URL',
    isValueHidden: true,
  },
  ...requiredDatabaseSettings,
  ...databasePartSettings,
  PERSISTOR_NAME: {
    schema: text('candles'),
    description: 'The name under which the place in the stream is kept',
  },
  PERSISTOR_BATCH_ROWS: {
    schema: integer(5_000, 1, 50_000),
    description: 'Rows of one transaction at most',
  },
  PERSISTOR_BATCH_LATENCY_MS: {
    schema: integer(100, 0, 60_000),
    description: 'How long a row waits for others to share its transaction with',
  },
  PERSISTOR_BUFFER_ROWS: {
    schema: integer(50_000, 1, 1_000_000),
    description: 'Rows that wait for the database; beyond it the stream is not read on',
  },
  AGGREGATOR_WINDOW: {
    schema: choice(timeframes, '1m'),
    description: 'How wide the rows of the view "AggregatedData" are: 1s 1m 3m … 1d 3d 1w 1M',
  },
  METRICS_PORT: {
    schema: port(0),
    description: 'The port of /metrics, /healthz and /readyz on METRICS_HOST; 0 is none',
  },
  METRICS_HOST: {
    schema: text('127.0.0.1'),
    description: 'The address that METRICS_PORT is listened on',
  },
  LOG_LEVEL: { schema: logLevel, description: 'debug, info, warn, error or silent' },
} as const;

export const persistorSettings = { ...ownSettings, ...retentionSettings };

export type PersistorConfig = {
  readonly serverAddress: string;
  readonly databaseUrl: string;
  readonly statementTimeoutMs: number;
  readonly name: string;
  readonly bounds: BatchBounds;
  readonly retention: Retention;
  readonly aggregatorWindow: Timeframe;
  /** 0: no metrics are served. */
  readonly metricsPort: number;
  readonly metricsHost: string;
  readonly logLevel: LogLevel;
};

/** @throws ConfigurationError */
export function readPersistorConfig(environment: Environment): PersistorConfig {
  const values = readSettings(
    { ...retentionSettings, ...ownSettings },
    withDatabaseUrl(environment),
  );
  const days = (timeframe: Timeframe) =>
    (values as Readonly<Record<string, unknown>>)[retentionKey(timeframe)] as number;
  return {
    serverAddress: values.SERVER_ADDRESS,
    databaseUrl: values.DATABASE_URL,
    statementTimeoutMs: values.DB_STATEMENT_TIMEOUT_MS,
    name: values.PERSISTOR_NAME ?? 'candles',
    bounds: {
      batchRows: values.PERSISTOR_BATCH_ROWS,
      batchLatencyMs: values.PERSISTOR_BATCH_LATENCY_MS,
      bufferRows: values.PERSISTOR_BUFFER_ROWS,
    },
    retention: Object.fromEntries(timeframes.map((timeframe) => [timeframe, days(timeframe)])),
    aggregatorWindow: values.AGGREGATOR_WINDOW,
    metricsPort: values.METRICS_PORT,
    metricsHost: values.METRICS_HOST ?? '127.0.0.1',
    logLevel: values.LOG_LEVEL,
  };
}
