import type { Surroundings } from '../base/program.ts';
import { openDatabase } from '../store/database.ts';
import { DatabaseCheck } from '../store/database-check.ts';
import type { DatabaseStatus } from '../store/database-check.ts';
import { ModeStore } from '../store/mode-store.ts';
import type { ServerConfig } from './config.ts';

/** Nobody waits for longer, and what hangs is to be noticed. */
const statementTimeoutMs = 1_000;
/**
 * A question that is lost on the way holds its connection for some seconds: those that come after it
 * are to find whether the database is there again.
 */
const poolSize = 8;

/** What the server asks its databases about itself. */
export type OpenSystem = {
  /** undefined: there is no database to write to. */
  readonly modes: ModeStore | undefined;
  /** How the database is, and the one that is only read from; undefined: there is none. */
  readonly check: () => Promise<{
    readonly database: DatabaseStatus | undefined;
    readonly replica: DatabaseStatus | undefined;
  }>;
};

/** Has connections of its own: those of others may all be in use while nothing is wrong. */
export function openSystem(
  { orderDatabaseUrl, databaseUrl }: ServerConfig,
  { clock, logger }: Surroundings,
  stack: AsyncDisposableStack,
): OpenSystem {
  const open = (url: string | undefined) =>
    url === undefined
      ? undefined
      : stack.use(
          openDatabase({
            url,
            program: 'tradewind-system',
            statementTimeoutMs,
            poolSize,
            clock,
            logger,
          }),
        );
  const writable = open(orderDatabaseUrl);
  const readable = databaseUrl === orderDatabaseUrl ? undefined : open(databaseUrl);
  const checkOf = (database: typeof writable) => database && new DatabaseCheck(database, clock);
  const [main, replica] = [checkOf(writable ?? readable), checkOf(writable && readable)];
  return {
    modes: writable && new ModeStore(writable),
    check: async () => {
      const [one, other] = await Promise.all([main?.status(), replica?.status()]);
      return { database: one, replica: other };
    },
  };
}
