import {
  ConfigurationError,
  choice,
  flag,
  integer,
  logLevel,
  readSettings,
  text,
  url,
  words,
} from '../base/env.ts';
import type { Environment, Settings } from '../base/env.ts';
import type { LogLevel } from '../base/logger.ts';
import type { Mode } from '../rpc/system-service.ts';
import { statementSettings } from '../store/config.ts';
import { listenerConfigOf, listenerProblems, listenerSettings } from './listener-settings.ts';
import type { ListenerConfig } from './listener-settings.ts';
import { orderConfigOf, orderSettings } from './order-settings.ts';
import type { OrderConfig } from './order-settings.ts';
import { priceCacheOf, priceSettings } from './price-settings.ts';
import type { PriceCacheConfig } from './price-settings.ts';

/** Longer than any: names of rows, streams and files are made of them. */
const maximumSymbolBytes = 64;

export const serverSettings = {
  ...listenerSettings,
  MODE: {
    schema: choice(['TEST', 'LIVE'], 'LIVE'),
    description: 'LIVE follows the real exchanges, TEST the simulator',
  },
  SIMULATOR_URL: {
    schema: url(['http', 'https'], 'http://127.0.0.1:8090'),
    description: 'Where the simulator is, in TEST mode',
  },
  BINANCE_WEBSOCKET_BASE_URL: {
    schema: url(['ws', 'wss'], 'wss://data-stream.binance.vision'),
    description: 'Where Binance streams market data, in LIVE mode',
  },
  BINANCE_REST_BASE_URL: {
    schema: url(['http', 'https'], 'https://data-api.binance.vision'),
    description: 'Where Binance answers questions on market data, in LIVE mode',
  },
  BINANCE_SYMBOLS: {
    schema: words(['BTCUSDT', 'ETHUSDT', 'PEPEUSDT']).refine(
      (symbols) => symbols.every(isSymbol),
      `expected letters and digits, like BTCUSDT, at most ${maximumSymbolBytes} bytes each`,
    ),
    description: 'The symbols to follow, separated by spaces; at most 500',
  },
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
  readonly mode: Mode;
  readonly webSocketBaseUrl: string;
  readonly restBaseUrl: string;
  readonly symbols: readonly string[];
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

/** What one market's instruments, times timeframes, may cost in memory. */
const maximumSymbols = 500;

/** @throws ConfigurationError */
export function readServerConfig(environment: Environment): ServerConfig {
  const values = readSettings(serverSettings, environment);
  const { BINANCE_SYMBOLS: symbols } = values;
  const problems = [...listenerProblems(values)];
  if (symbols.length === 0 || symbols.length > maximumSymbols) {
    problems.push(
      `BINANCE_SYMBOLS: expected 1 to ${maximumSymbols} symbols, got ${symbols.length}`,
    );
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return {
    ...listenerConfigOf(values),
    mode: values.MODE,
    ...addressesOf(values),
    symbols,
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

/** The simulator speaks Binance's protocol, WebSocket and REST on one port. */
function addressesOf(values: {
  MODE: Mode;
  SIMULATOR_URL: string | undefined;
  BINANCE_WEBSOCKET_BASE_URL: string | undefined;
  BINANCE_REST_BASE_URL: string | undefined;
}): { webSocketBaseUrl: string; restBaseUrl: string } {
  const { SIMULATOR_URL: simulator = '' } = values;
  if (values.MODE === 'TEST') {
    return { webSocketBaseUrl: simulator.replace(/^http/u, 'ws'), restBaseUrl: simulator };
  }
  return {
    webSocketBaseUrl: values.BINANCE_WEBSOCKET_BASE_URL ?? '',
    restBaseUrl: values.BINANCE_REST_BASE_URL ?? '',
  };
}

/** There are symbols of Chinese letters; a separator would be somebody's else. */
function isSymbol(text: string): boolean {
  return /^[\p{L}\p{N}]+$/u.test(text) && Buffer.byteLength(text) <= maximumSymbolBytes;
}
