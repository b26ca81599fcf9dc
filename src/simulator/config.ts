import {
  choice,
  ConfigurationError,
  integer,
  port,
  ports,
  readSettings,
  text,
  words,
} from '../base/env.ts';
import type { Environment } from '../base/env.ts';
import type { LogLevel } from '../base/logger.ts';
import { isSymbol, knownSymbols } from './symbol-profile.ts';

export type SimulatorConfig = {
  readonly host: string;
  readonly port: number;
  readonly seed: string;
  /** What /exchangeInfo lists first. */
  readonly symbols: readonly string[];
  /** Request weight that an address may use in a minute. */
  readonly requestWeight: number;
  /** The ports of the exchanges that push JSON lines: exchange1, exchange2, …; 0: a free one. */
  readonly exchangePorts: readonly number[];
  readonly exchangeSymbols: readonly string[];
  /** Updates a second that each of them tells, of all symbols together; 0: none of its own. */
  readonly exchangeRate: number;
  /** A file that every frame sent is written to. */
  readonly recordFile: string | undefined;
  readonly logLevel: LogLevel;
};

export const simulatorSettings = {
  SIMULATOR_HOST: { schema: text('127.0.0.1'), description: 'address to listen on' },
  SIMULATOR_PORT: { schema: port(8090), description: 'port for WebSocket and REST; 0: a free one' },
  SIMULATOR_SEED: {
    schema: text('tradewind'),
    description: 'any text; the market is a function of it, the symbol and the time',
  },
  SIMULATOR_SYMBOLS: {
    schema: words(knownSymbols),
    description: 'symbols that /api/v3/exchangeInfo lists first; any other trades as well',
  },
  SIMULATOR_REQUEST_WEIGHT: {
    schema: integer(6000, 1, 1_000_000_000),
    description: 'request weight an address may use in a minute; beyond it REST answers 429',
  },
  SIMULATOR_EXCHANGE_PORTS: {
    schema: ports([40_101, 40_102, 40_103], 10),
    description:
      'ports of exchange1, exchange2, …, which push prices as JSON lines; 0: a free one, as for all of them where only SIMULATOR_PORT is set, to 0',
  },
  SIMULATOR_EXCHANGE_SYMBOLS: {
    schema: words(['BTCUSDT', 'DOGEUSDT', 'TONUSDT', 'SOLUSDT', 'ETHUSDT']),
    description: 'symbols whose prices they push',
  },
  SIMULATOR_EXCHANGE_RATE: {
    schema: integer(10, 0, 100_000),
    description:
      'updates a second that each of them pushes, of all symbols together; 0: only what is injected',
  },
  LOG_LEVEL: {
    schema: choice(['debug', 'info', 'warn', 'error', 'silent'], 'info'),
    description: 'least level that is logged: debug, info, warn, error or silent',
  },
} as const;

/** @throws ConfigurationError */
export function readSimulatorConfig(
  environment: Environment,
  flags: Readonly<Record<string, unknown>>,
): SimulatorConfig {
  const values = readSettings(simulatorSettings, environment);
  // Who asks for a free port, and says no more, wants no fixed ones.
  const areFree = values.SIMULATOR_PORT === 0 && !environment['SIMULATOR_EXCHANGE_PORTS'];
  return {
    host: values.SIMULATOR_HOST ?? '127.0.0.1',
    port: values.SIMULATOR_PORT,
    seed: values.SIMULATOR_SEED ?? 'tradewind',
    symbols: readSymbols('SIMULATOR_SYMBOLS', values.SIMULATOR_SYMBOLS),
    requestWeight: values.SIMULATOR_REQUEST_WEIGHT,
    exchangePorts: areFree ? [0, 0, 0] : values.SIMULATOR_EXCHANGE_PORTS,
    exchangeSymbols: readSymbols('SIMULATOR_EXCHANGE_SYMBOLS', values.SIMULATOR_EXCHANGE_SYMBOLS),
    exchangeRate: values.SIMULATOR_EXCHANGE_RATE,
    recordFile: typeof flags['record'] === 'string' ? flags['record'] : undefined,
    logLevel: values.LOG_LEVEL,
  };
}

/** @throws ConfigurationError */
function readSymbols(key: string, words: readonly string[]): readonly string[] {
  const symbols = words.map((symbol) => symbol.toUpperCase());
  const bad = symbols.filter((symbol) => !isSymbol(symbol));
  if (bad.length === 0) return symbols;
  throw new ConfigurationError([`${key}: expected symbols like BTCUSDT, got ${bad.join(' ')}`]);
}
