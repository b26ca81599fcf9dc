import { z } from 'zod';
import { integer, url } from '../base/env.ts';

const databaseUrl = url(['postgres', 'postgresql']);

/** The setting of every program that may use the database; spread into its own. */
export const statementSettings = {
  DB_STATEMENT_TIMEOUT_MS: {
    schema: integer(5_000, 100, 600_000),
    description: 'How long Postgres may work on one statement; beyond it the statement fails',
  },
} as const;

/** The settings of every program that cannot do without the database; spread into its own. */
export const requiredDatabaseSettings = {
  DATABASE_URL: {
    schema: databaseUrl.transform((value, context): string => {
      if (value !== undefined) return value;
      context.addIssue('expected the URL of a Postgres');
      return z.NEVER;
    }),
    description: 'Postgres, as postgres://user:password@host:port/database',
    aliases: ['DB_WRITE_DSN'],
    isValueHidden: true,
  },
  ...statementSettings,
} as const;
