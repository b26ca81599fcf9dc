import { integer, url } from '../base/env.ts';

/** The settings of every program that uses the database; spread into the program's own. */
export const databaseSettings = {
  DATABASE_URL: {
    schema: url(['postgres', 'postgresql']),
    description: 'Postgres, as postgres://user:password@host:port/database',
    aliases: ['DB_WRITE_DSN'],
  },
  DB_STATEMENT_TIMEOUT_MS: {
    schema: integer(5_000, 100, 600_000),
    description: 'How long Postgres may work on one statement; beyond it the statement fails',
  },
} as const;
