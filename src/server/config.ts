import {
  ConfigurationError,
  flag,
  integer,
  logLevel,
  readSettings,
  text,
  url,
} from '../base/env.ts';
import type { Environment, Settings } from '../base/env.ts';
import type { LogLevel } from '../base/logger.ts';
import type { Mode } from '../domain/mode.ts';
import { databasePartSettings, statementSettings, withDatabaseUrl } from '../store/config.ts';
import type { ConfiguredExchange } from './configured-exchange.ts';
import { configuredExchanges, exchangeProblems, exchangeSettings } from './exchange-settings.ts';
import { listenerConfigOf, listenerProblems, listenerSettings } from './listener-settings.ts';
import type { ListenerConfig } from './listener-settings.ts';
import { modeProblems, modeSettings, simulatorConfigOf } from './mode-settings.ts';
import type { SimulatorConfig } from './mode-settings.ts';
import { orderConfigOf, orderSettings } from './order-settings.ts';
import type { OrderConfig } from './order-settings.ts';
import { priceCacheOf, priceSettings } from './price-settings.ts';
import type { PriceCacheConfig } from './price-settings.ts';

export const serverSettings = {
  ...listenerSettings,
  ...modeSettings,
  ...exchangeSettings,
  DATABASE_URL: {
    schema: url(['postgres', 'postgresql']),
    description:
      'Postgres, for orders and stored candles; without it orders are refused, and only retained candles listed',
    aliases: ['DB_WRITE_DSN'],
    isValueHidden: true,
  },
  DB_READ_DSN: {
    schema: url(['postgres', 'postgresql']),
    description: 'Postgres to read history from where it is not DATABASE_URL, say a replica',
    isValueHidden: true,
  },
  ...databasePartSettings,
  ...statementSettings,
  ...orderSettings,
  ...priceSettings,
  MAX_RETAINED_CANDLES: {
    schema: integer(1_000_000, 10_000, 50_000_000),
    description: 'Closed candles kept in memory, at 1 KiB each; beyond, the oldest are let go',
  },
  REST_TIMEOUT_MS: {
    schema: integer(10_000, 100, 600_000),
    description: 'Milliseconds for an answer of an exchange; beyond, it is asked again',
  },
  HISTORY_CANDLES: {
    schema: integer(500, 0, 1_000),
    description:
      'Closed candles of each timeframe that are read from the exchange at a first start',
  },
  BACKFILL_HORIZON_HOURS: {
    schema: integer(168, 1, 8_760),
    description: 'Hours back that what was missed is asked for; what is older stays as it is',
  },
  RECONCILE_PERIOD_SECONDS: {
    schema: integer(600, 10, 86_400),
    description: 'Seconds between two looks at what the store lacks',
  },
  CAPTURE_DIR: {
    schema: text(),
    description: 'Where to write every frame that is received, for tradewind replay',
  },
  CAPTURE_MAX_BYTES: {
    schema: integer(10_737_418_240, 1_048_576, 999_999_999_999_999),
    description: 'Bytes of captures kept of each exchange; beyond, the oldest files are deleted',
  },
  AUDIT_PERIOD_SECONDS: {
    schema: integer(10, 1, 86_400),
    description: 'Seconds between two looks at whether an instrument’s candles are the exchange’s',
  },
  LOG_LEVEL: { schema: logLevel, description: 'debug, info, warn, error or silent' },
  APP_DEBUG: { schema: flag(false), description: 'true is LOG_LEVEL=debug' },
} satisfies Settings;

export type ServerConfig = ListenerConfig & {
  /** The mode that it starts in, unless it was switched to the other one before. */
  readonly mode: Mode;
  /** The exchanges of both modes, the default one first. */
  readonly exchanges: readonly ConfiguredExchange[];
  readonly simulator: SimulatorConfig;
  /** Postgres to read history from; undefined: there is none. */
  readonly databaseUrl: string | undefined;
  /** Postgres to keep orders in; undefined: there is none, and orders are refused. */
  readonly orderDatabaseUrl: string | undefined;
  readonly orders: OrderConfig;
  readonly statementTimeoutMs: number;
  /** Where latest prices are shared; undefined: they are not. */
  readonly priceCache: PriceCacheConfig | undefined;
  readonly maxRetainedCandles: number;
  readonly restTimeoutMs: number;
  readonly historyCandles: number;
  readonly backfillHorizonMs: number;
  readonly reconcilePeriodMs: number;
  /** undefined: nothing is captured. */
  readonly captureDirectory: string | undefined;
  readonly captureMaxBytes: number;
  readonly auditPeriodMs: number;
  readonly logLevel: LogLevel;
};

/**
 * A flag outranks the environment.
 * @throws ConfigurationError
 */
export function readServerConfig(
  settings: Environment,
  { port }: Readonly<Record<string, unknown>> = {},
): ServerConfig {
  const environment = typeof port === 'string' ? { ...settings, PORT: port } : settings;
  const values = readSettings(serverSettings, withDatabaseUrl(environment));
  const exchanges = configuredExchanges(values, environment);
  const problems = [
    ...listenerProblems(values),
    ...exchangeProblems(exchanges),
    ...modeProblems(values, exchanges),
  ];
  if (problems.length > 0) throw new ConfigurationError(problems);
  return {
    ...listenerConfigOf(values),
    mode: values.MODE,
    exchanges,
    simulator: simulatorConfigOf(values, environment, exchanges),
    databaseUrl: values.DB_READ_DSN ?? values.DATABASE_URL,
    orderDatabaseUrl: values.DATABASE_URL,
    orders: orderConfigOf(values),
    statementTimeoutMs: values.DB_STATEMENT_TIMEOUT_MS,
    priceCache: priceCacheOf(values),
    maxRetainedCandles: values.MAX_RETAINED_CANDLES,
    restTimeoutMs: values.REST_TIMEOUT_MS,
    historyCandles: values.HISTORY_CANDLES,
    backfillHorizonMs: values.BACKFILL_HORIZON_HOURS * 3_600_000,
    reconcilePeriodMs: values.RECONCILE_PERIOD_SECONDS * 1000,
    captureDirectory: values.CAPTURE_DIR,
    captureMaxBytes: values.CAPTURE_MAX_BYTES,
    auditPeriodMs: values.AUDIT_PERIOD_SECONDS * 1000,
    logLevel: values.APP_DEBUG ? 'debug' : values.LOG_LEVEL,
  };
}
