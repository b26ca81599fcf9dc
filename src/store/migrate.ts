import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import type { Logger } from '../base/logger.ts';
import { StartError } from '../base/start-error.ts';
import { databaseAddress, describeDatabaseError } from './database-error.ts';
import { withClient, withConnection } from './one-connection.ts';

const directory = fileURLToPath(new URL('../../migrations', import.meta.url));
const table = 'schema_migration';

/** The database cannot be brought to what this version needs; the message says why. */
export class MigrationError extends StartError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MigrationError';
  }
}

export type MigrateOptions = {
  readonly url: string;
  readonly direction: 'up' | 'down';
  /** How many migrations at most: all of them up, one down, when it is not given. */
  readonly count?: number;
  readonly logger: Logger;
};

/**
 * Brings the schema up or down. Several may be started at once: one works, the others wait for it
 * and find nothing to do.
 * @returns the names of the migrations that were run
 * @throws MigrationError when the database cannot be reached, knows a migration that this version
 * does not, or refuses one
 */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const { url, direction, logger } = options;
  const count = options.count ?? (direction === 'up' ? Infinity : 1);
  await refuseUnknownMigrations(url);
  try {
    // With a client of its own the runner would not wait for its end, nor hear of its loss.
    const migrations = await withClient(url, (dbClient) =>
      runner({
        dbClient,
        dir: directory,
        migrationsTable: table,
        direction,
        count,
        advisoryLockMode: 'wait',
        // One that is refused takes those before it back with it: no half-way schema.
        singleTransaction: true,
        logger: runnerLog(logger),
      }),
    );
    return migrations.map(({ name }) => name);
  } catch (error) {
    throw new MigrationError(`Migrating ${direction} failed: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** An older version must not touch a newer schema. Also the check that there is a database at all. */
async function refuseUnknownMigrations(url: string): Promise<void> {
  try {
    const unknown = await withConnection(url, async (sql) => {
      const [found] = await sql`select to_regclass(${table}) is not null as exists`;
      if (found?.['exists'] !== true) return [];
      const rows = await sql.text<{ name: string }>(`select name from ${table} order by id`);
      const files = new Set((await readdir(directory)).map((file) => file.replace(/\.sql$/u, '')));
      return rows.map(({ name }) => name).filter((name) => !files.has(name));
    });
    if (unknown.length === 0) return;
    throw new MigrationError(
      `The database has been migrated by another version: it knows ${unknown.join(', ')}, this version does not`,
    );
  } catch (error) {
    if (error instanceof MigrationError) throw error;
    throw new MigrationError(
      `The database at ${databaseAddress(url)} does not answer: ${describeDatabaseError(error)}`,
      { cause: error },
    );
  }
}

/** The runner prints each statement at its info level: ours is debug. */
function runnerLog(logger: Logger) {
  return {
    debug: () => {},
    info: (line: string) => logger.debug({ line }, 'Migrating'),
    warn: (line: string) => logger.debug({ line }, 'Migrating'),
    error: (line: string) => logger.error({ line }, 'Migrating failed'),
  };
}
