import type { Surroundings } from '../base/program.ts';
import { openDatabase } from '../store/database.ts';
import type { Database } from '../store/database.ts';

/** Appends come one after the other, since each holds the log to its commit; the rest load shards. */
const logConnections = 4;
/** Halts, and what became of single orders: as many wait as the desk takes at once. */
const deskConnections = 2;
/** Beyond them lists and streams wait for each other, and for nobody else. */
const readerConnections = 4;

/** One database, over connections of their own: who waits in one line keeps nobody in another waiting. */
export type OrderDatabases = {
  /** What is appended to the log, and what shards are loaded from. */
  readonly log: Database;
  /** A lease is lost by waiting behind the very appends that it is for. */
  readonly leases: Database;
  /** What follows the log for all. */
  readonly tail: Database;
  readonly desk: Database;
  readonly readers: Database;
};

export type OrderDatabasesOptions = {
  readonly url: string;
  readonly statementTimeoutMs: number;
};

/** Opens no connection yet. `stack` closes them. */
export function openOrderDatabases(
  { url, statementTimeoutMs }: OrderDatabasesOptions,
  surroundings: Surroundings,
  stack: AsyncDisposableStack,
): OrderDatabases {
  const open = (program: string, poolSize: number) =>
    stack.use(openDatabase({ url, program, poolSize, statementTimeoutMs, ...surroundings }));
  return {
    log: open('tradewind-order-log', logConnections),
    leases: open('tradewind-leases', 1),
    tail: open('tradewind-order-tail', 1),
    desk: open('tradewind-order-desk', deskConnections),
    readers: open('tradewind-orders', readerConnections),
  };
}
