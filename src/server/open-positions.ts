import type { Surroundings } from '../base/program.ts';
import type { Market } from '../market/market.ts';
import { Positions } from '../position/positions.ts';
import type { InstrumentDirectory } from '../rpc/instrument-directory.ts';
import { PositionMarks } from '../rpc/position/position-marks.ts';
import type { PositionServiceParts } from '../rpc/position/position-service.ts';
import { PositionStream } from '../rpc/position/position-stream.ts';
import { openDatabase } from '../store/database.ts';
import { ExecutionReader } from '../store/position/execution-reader.ts';
import { ExecutionStore } from '../store/position/execution-store.ts';
import { FreezeStore } from '../store/position/freeze-store.ts';
import { warnOfFewLocks } from '../store/lock-room.ts';
import type { LogTail } from '../store/order/log-tail.ts';
import { PostgresPositionStore } from '../store/position/postgres-position-store.ts';
import type { ServerConfig } from './config.ts';

/** Batches that are recorded side by side, and questions meanwhile. */
const databaseConnections = 8;

export type PositionConfig = Pick<
  ServerConfig,
  'statementTimeoutMs' | 'maxReaderBytes' | 'maxReaders'
>;

export type OpenPositionsParts = {
  readonly market: Market;
  readonly directory: InstrumentDirectory;
  /** Tells what is committed, on any server of the database. */
  readonly tail: LogTail;
  readonly url: string;
};

/** Opens executions and positions; `stack` closes them, `stream` is to be closed before the listener. */
export function openPositions(
  { statementTimeoutMs, maxReaderBytes, maxReaders }: PositionConfig,
  { market, directory, tail, url }: OpenPositionsParts,
  { clock, logger }: Surroundings,
  stack: AsyncDisposableStack,
): PositionServiceParts {
  const surroundings = { clock, logger };
  const database = stack.use(
    openDatabase({
      url,
      program: 'tradewind-positions',
      poolSize: databaseConnections,
      statementTimeoutMs,
      ...surroundings,
    }),
  );
  void warnOfFewLocks(database, logger);
  const positions = new Positions({
    store: new PostgresPositionStore(database),
    ...surroundings,
  });
  stack.use(positions.keepUp());
  const marks = new PositionMarks({ bookTicker: (name) => market.bookTicker(name), clock });
  return {
    positions,
    store: new ExecutionStore(database),
    executions: new ExecutionReader(database),
    freezes: new FreezeStore(database),
    stream: new PositionStream({
      tail,
      reader: positions.reader,
      marks,
      directory,
      maxPendingBytes: maxReaderBytes,
      maxSubscriptions: maxReaders,
      ...surroundings,
    }),
    marks,
    directory,
    clock,
  };
}
