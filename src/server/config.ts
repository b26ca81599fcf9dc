import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import {
  ConfigurationError,
  choice,
  flag,
  integer,
  logLevel,
  port,
  quote,
  readSettings,
  text,
  url,
  words,
} from '../base/env.ts';
import type { Environment, Settings } from '../base/env.ts';
import type { LogLevel } from '../base/logger.ts';
import { listenerLimits } from '../rpc/listener-limits.ts';
import type { Mode } from '../rpc/system-service.ts';
import { statementSettings } from '../store/config.ts';

/** Longer than any: names of rows, streams and files are made of them. */
const maximumSymbolBytes = 64;

export const serverSettings = {
  HOST: {
    schema: text('127.0.0.1'),
    description: 'The address to listen on; another than loopback needs ALLOW_UNAUTHENTICATED=true',
  },
  PORT: {
    schema: port(8080),
    description: 'The port for gRPC, gRPC-Web, Connect and plain HTTP; 0 takes a free one',
    aliases: ['APP_GRPC_PORT'],
  },
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
    description: 'Postgres, to list stored candles from; without it only retained ones are listed',
    aliases: ['DB_WRITE_DSN'],
    isValueHidden: true,
  },
  DB_READ_DSN: {
    schema: url(['postgres', 'postgresql']),
    description: 'Postgres to read history from where it is not DATABASE_URL, say a replica',
    isValueHidden: true,
  },
  ...statementSettings,
  TLS_CERT_FILE: {
    schema: text(),
    description: 'A PEM certificate chain; with TLS_KEY_FILE the port speaks TLS',
  },
  TLS_KEY_FILE: { schema: text(), description: 'The PEM key of TLS_CERT_FILE' },
  CORS_ALLOWED_ORIGINS: {
    schema: words([]).refine(
      (origins) => origins.every(isOrigin),
      'expected origins like https://example.com, or *',
    ),
    description:
      'Origins whose pages may call besides the same host, as https://example.com; * for all; where none is named, those of localhost',
  },
  ALLOW_UNAUTHENTICATED: {
    schema: flag(false),
    description: 'Whether a HOST off loopback may be served to everybody',
  },
  MAX_CONNECTIONS: {
    schema: integer(listenerLimits.maxConnections, 1, 1_000_000),
    description: 'Connections at once; more are closed as they come',
  },
  MAX_CONNECTIONS_PER_ADDRESS: {
    schema: integer(listenerLimits.maxConnectionsPerAddress, 1, 1_000_000),
    description: 'Connections at once from one address; more are closed as they come',
  },
  MAX_STREAMS_PER_CONNECTION: {
    schema: integer(listenerLimits.maxConcurrentStreams, 1, 10_000),
    description: 'RPCs at once on one HTTP/2 connection; a client waits with more',
  },
  MAX_MESSAGE_BYTES: {
    schema: integer(listenerLimits.readMaxBytes, 1_024, 67_108_864),
    description: 'Bytes of one request message, unpacked; a longer one is RESOURCE_EXHAUSTED',
  },
  MAX_READER_BYTES: {
    schema: integer(1_048_576, 65_536, 67_108_864),
    description: 'Bytes that may wait for one reader; beyond, its stream ends RESOURCE_EXHAUSTED',
  },
  MAX_READERS: {
    schema: integer(20_000, 1, 1_000_000),
    description: 'Readers of one kind of stream at once; more are refused with RESOURCE_EXHAUSTED',
  },
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
  SHUTDOWN_GRACE_MS: {
    schema: integer(10_000, 0, 600_000),
    description: 'Milliseconds that RPCs are left to end on SIGTERM; then they are cut off',
  },
  LOG_LEVEL: { schema: logLevel, description: 'debug, info, warn, error or silent' },
  APP_DEBUG: { schema: flag(false), description: 'true is LOG_LEVEL=debug' },
} satisfies Settings;

export type ServerConfig = {
  readonly host: string;
  readonly port: number;
  readonly mode: Mode;
  readonly webSocketBaseUrl: string;
  readonly restBaseUrl: string;
  readonly symbols: readonly string[];
  /** Postgres to read history from; undefined: there is none. */
  readonly databaseUrl: string | undefined;
  readonly statementTimeoutMs: number;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly corsAllowedOrigins: readonly string[];
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxStreamsPerConnection: number;
  readonly maxMessageBytes: number;
  readonly maxReaderBytes: number;
  readonly maxReaders: number;
  readonly maxRetainedCandles: number;
  readonly restTimeoutMs: number;
  readonly historyCandles: number;
  readonly backfillHorizonMs: number;
  readonly reconcilePeriodMs: number;
  /** undefined: nothing is captured. */
  readonly captureDirectory: string | undefined;
  readonly captureMaxBytes: number;
  readonly auditPeriodMs: number;
  readonly shutdownGraceMs: number;
  readonly logLevel: LogLevel;
};

/** What one market's instruments, times timeframes, may cost in memory. */
const maximumSymbols = 500;

/** @throws ConfigurationError */
export function readServerConfig(environment: Environment): ServerConfig {
  const values = readSettings(serverSettings, environment);
  const { HOST: host = '127.0.0.1', BINANCE_SYMBOLS: symbols } = values;
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile } = values;
  const problems: string[] = [];
  if (!isLoopback(host) && !values.ALLOW_UNAUTHENTICATED) {
    problems.push(
      `HOST: ${host} is not loopback and no authentication is configured: expected 127.0.0.1, or ALLOW_UNAUTHENTICATED=true`,
    );
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    problems.push('TLS_CERT_FILE, TLS_KEY_FILE: expected both or none');
  }
  problems.push(...tlsProblems(certFile, keyFile));
  if (symbols.length === 0 || symbols.length > maximumSymbols) {
    problems.push(
      `BINANCE_SYMBOLS: expected 1 to ${maximumSymbols} symbols, got ${symbols.length}`,
    );
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return {
    host,
    port: values.PORT,
    mode: values.MODE,
    ...addressesOf(values),
    symbols,
    databaseUrl: values.DB_READ_DSN ?? values.DATABASE_URL,
    statementTimeoutMs: values.DB_STATEMENT_TIMEOUT_MS,
    tls: certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined,
    corsAllowedOrigins: values.CORS_ALLOWED_ORIGINS,
    maxConnections: values.MAX_CONNECTIONS,
    maxConnectionsPerAddress: values.MAX_CONNECTIONS_PER_ADDRESS,
    maxStreamsPerConnection: values.MAX_STREAMS_PER_CONNECTION,
    maxMessageBytes: values.MAX_MESSAGE_BYTES,
    maxReaderBytes: values.MAX_READER_BYTES,
    maxReaders: values.MAX_READERS,
    maxRetainedCandles: values.MAX_RETAINED_CANDLES,
    restTimeoutMs: values.REST_TIMEOUT_MS,
    historyCandles: values.HISTORY_CANDLES,
    backfillHorizonMs: values.BACKFILL_HORIZON_HOURS * 3_600_000,
    reconcilePeriodMs: values.RECONCILE_PERIOD_SECONDS * 1000,
    captureDirectory: values.CAPTURE_DIR,
    captureMaxBytes: values.CAPTURE_MAX_BYTES,
    auditPeriodMs: values.AUDIT_PERIOD_SECONDS * 1000,
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
    logLevel: values.APP_DEBUG ? 'debug' : values.LOG_LEVEL,
  };
}

/** They are read again when the port is opened; here it is said which key is wrong. */
function tlsProblems(certFile: string | undefined, keyFile: string | undefined): string[] {
  const problems: string[] = [];
  const read = (key: string, file: string | undefined) => {
    try {
      return file === undefined ? undefined : readFileSync(file);
    } catch (error) {
      problems.push(`${key}: expected a PEM file, got ${quote(file ?? '')}: ${reasonOf(error)}`);
      return undefined;
    }
  };
  const [cert, key] = [read('TLS_CERT_FILE', certFile), read('TLS_KEY_FILE', keyFile)];
  if (cert === undefined || key === undefined) return problems;
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    problems.push(
      `TLS_CERT_FILE, TLS_KEY_FILE: expected a PEM certificate and its key: ${reasonOf(error)}`,
    );
  }
  return problems;
}

/** What Node says without the path, which stands before it: "no such file or directory". */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/, \w+ '.*'$/u, '') : String(error);
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

/** What a browser sends as Origin; a slash at its end is easily typed and means the same. */
function isOrigin(text: string): boolean {
  return text === '*' || URL.parse(text)?.origin === text.replace(/\/+$/u, '');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
