import {
  choice,
  integer,
  logLevel,
  port,
  ports,
  readSettings,
  settingsAreRead,
  text,
  words,
} from '../base/env.ts';
import type { Environment } from '../base/env.ts';
import type { LogLevel } from '../base/logger.ts';

/** Every symbol that the systems which Tradewind takes the place of name in their documents. */
const symbols = [
  'BTCUSDT',
  'ETHUSDT',
  'PEPEUSDT',
  'BNBUSDT',
  'LTCBTC',
  'ETHBTC',
  'SOLUSDT',
  'TONUSDT',
  'DOGEUSDT',
];

export const standaloneSettings = {
  HOST: {
    schema: text('127.0.0.1'),
    description: 'The address the server listens on',
  },
  PORT: {
    schema: port(8080),
    description: "The server's port; a free one is taken when it is in use",
    aliases: ['APP_GRPC_PORT', 'APP_PORT', 'HTTP_PORT'],
  },
  SIMULATOR_PORT: {
    schema: port(8090),
    description: "The simulator's port; a free one is taken when it is in use",
  },
  SIMULATOR_EXCHANGE_PORTS: {
    schema: ports([40_101, 40_102, 40_103], 10),
    description:
      "The ports of the simulator's exchanges of JSON lines; free ones are taken for those in use",
  },
  POSTGRES_PORT: {
    schema: port(5433),
    description: "The embedded Postgres' port; a free one is taken when it is in use",
  },
  TRADEWIND_DIRECTORY: {
    schema: text('.tradewind'),
    description: 'Where npm start keeps its database and the addresses it runs at',
  },
  BINANCE_SYMBOLS: {
    schema: words(symbols),
    description: 'The symbols to follow, separated by spaces',
  },
  MODE: {
    schema: choice(['TEST', 'LIVE'], 'TEST'),
    description:
      'TEST: the simulated market; LIVE, also by --live: the real exchanges; what it was switched to while running wins over it until it is set to something else',
  },
  STANDALONE_START_TIMEOUT_MS: {
    schema: integer(60_000, 1_000, 600_000),
    description: 'How long a program may take until it answers; beyond it npm start gives up',
  },
  STANDALONE_STOP_TIMEOUT_MS: {
    schema: integer(15_000, 100, 600_000),
    description: 'How long a program may take to end after it was told to; beyond it it is killed',
  },
  LOG_LEVEL: { schema: logLevel, description: 'debug, info, warn, error or silent' },
} as const;

export type StandaloneConfig = {
  readonly host: string;
  readonly port: number;
  readonly simulatorPort: number;
  /** Those of exchange1, exchange2, … */
  readonly exchangePorts: readonly number[];
  readonly postgresPort: number;
  readonly directory: string;
  readonly symbols: readonly string[];
  readonly mode: 'TEST' | 'LIVE';
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly logLevel: LogLevel;
  /** What the programs are given beside what is decided here. */
  readonly environment: Environment;
};

/** @throws ConfigurationError */
export function readStandaloneConfig(
  environment: Environment,
  flags: { readonly live?: unknown },
): StandaloneConfig {
  const values = readSettings(standaloneSettings, environment);
  return {
    host: values.HOST ?? '127.0.0.1',
    port: values.PORT,
    simulatorPort: values.SIMULATOR_PORT,
    exchangePorts: values.SIMULATOR_EXCHANGE_PORTS,
    postgresPort: values.POSTGRES_PORT,
    directory: values.TRADEWIND_DIRECTORY ?? '.tradewind',
    symbols: values.BINANCE_SYMBOLS,
    mode: flags.live === true ? 'LIVE' : values.MODE,
    startTimeoutMs: values.STANDALONE_START_TIMEOUT_MS,
    stopTimeoutMs: values.STANDALONE_STOP_TIMEOUT_MS,
    logLevel: values.LOG_LEVEL,
    // What --env-file or .env said is in it: another .env is not for them.
    environment: { ...environment, ...settingsAreRead },
  };
}
