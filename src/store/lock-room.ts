import type { Logger } from '../base/logger.ts';
import type { Database } from './database.ts';
import { describeDatabaseError } from './database-error.ts';

/** As many more months as a server may run without being started. */
const monthsAhead = 12;

/**
 * Warns when Postgres has too few locks for executions of so many months: who reads a long time locks
 * the partition of each. Measured: Postgres has room for 2.8 times the setting a connection. Never
 * throws: without a database there is nothing to warn of.
 */
export async function warnOfFewLocks(database: Database, logger: Logger): Promise<void> {
  try {
    const [row] = await database.run(
      (sql) => sql<{ value: number; partitions: number }>`
        select current_setting('max_locks_per_transaction')::integer as value,
          (select count(*)::integer from pg_inherits
           where inhparent = to_regclass('execution')) as partitions`,
    );
    const { value = 0, partitions = 0 } = row ?? {};
    const needed = Math.ceil((partitions + monthsAhead) / 2);
    if (value >= needed) return;
    logger.warn(
      { setting: 'max_locks_per_transaction', value, needed, partitions },
      'Postgres may run out of locks when many read executions: raise max_locks_per_transaction',
    );
  } catch (error) {
    logger.debug({ reason: describeDatabaseError(error) }, 'The room for locks is not known');
  }
}
