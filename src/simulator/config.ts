import {
  choice,
  ConfigurationError,
  integer,
  port,
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
  const symbols = values.SIMULATOR_SYMBOLS.map((symbol) => symbol.toUpperCase());
  const bad = symbols.filter((symbol) => !isSymbol(symbol));
  if (bad.length > 0) {
    throw new ConfigurationError([
      `SIMULATOR_SYMBOLS: expected symbols like BTCUSDT, got ${bad.join(' ')}`,
    ]);
  }
  return {
    host: values.SIMULATOR_HOST ?? '127.0.0.1',
    port: values.SIMULATOR_PORT,
    seed: values.SIMULATOR_SEED ?? 'tradewind',
    symbols,
    requestWeight: values.SIMULATOR_REQUEST_WEIGHT,
    recordFile: typeof flags['record'] === 'string' ? flags['record'] : undefined,
    logLevel: values.LOG_LEVEL,
  };
}
