import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Surroundings } from '../base/program.ts';
import { splitInstrumentName } from '../domain/instrument.ts';
import type { StoredCandles } from '../exchange/read-history.ts';
import { CandleReader } from '../store/candle/candle-store.ts';
import { openDatabase } from '../store/database.ts';
import type { ServerConfig } from './config.ts';

/** What is stored, where the server has a database to read from. */
export function openHistory(
  { databaseUrl: url, statementTimeoutMs }: ServerConfig,
  { clock, logger }: Surroundings,
  stack: AsyncDisposableStack,
): CandleReader | undefined {
  if (url === undefined) return undefined;
  const program = 'tradewind-server';
  return new CandleReader(
    stack.use(openDatabase({ url, program, statementTimeoutMs, clock, logger })),
  );
}

/** Runs rise, also where a clock was set back: storage keeps the candle of the later run. */
export async function nextRun(
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

/** What is stored, as the recovery asks for it. */
export function storedCandles(history: CandleReader | undefined): StoredCandles | undefined {
  if (history === undefined) return undefined;
  return {
    newest: (instrument, timeframe, { to, limit }) => {
      const { exchange = '', symbol } = splitInstrumentName(instrument);
      return history.listCandles({ exchange, symbol, timeframe, to, limit, newestFirst: true });
    },
  };
}
