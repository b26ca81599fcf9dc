import { z } from 'zod';
import { integer, port, readSettings, text, url } from '../base/env.ts';
import type { Environment } from '../base/env.ts';

const databaseUrl = url(['postgres', 'postgresql']);

/** The setting of every program that may use the database; spread into its own. */
export const statementSettings = {
  DB_STATEMENT_TIMEOUT_MS: {
    schema: integer(5_000, 100, 600_000),
    description: 'How long Postgres may work on one statement; beyond it the statement fails',
  },
} as const;

/** A database in parts, as MarketFlow names it; spread into the settings of who uses a database. */
export const databasePartSettings = {
  DB_HOST: { schema: text(), description: 'The host of Postgres, where there is no DATABASE_URL' },
  DB_PORT: { schema: port(5432), description: 'The port of DB_HOST' },
  DB_NAME: { schema: text('marketflow'), description: 'The database on DB_HOST' },
  DB_USER: { schema: text('postgres'), description: 'The user of DB_HOST' },
  DB_PASSWORD: { schema: text(), description: 'Its password', isValueHidden: true },
} as const;

/**
 * The environment, with a DATABASE_URL of the parts where only those are set.
 * @throws ConfigurationError
 */
export function withDatabaseUrl(environment: Environment): Environment {
  const isNamed = [...requiredDatabaseSettings.DATABASE_URL.aliases, 'DATABASE_URL'].some(
    (key) => (environment[key] ?? '') !== '',
  );
  if (isNamed || (environment['DB_HOST'] ?? '') === '') return environment;
  const parts = readSettings(databasePartSettings, environment);
  const { DB_HOST: host = '', DB_PORT, DB_NAME: name = '', DB_USER: user = '' } = parts;
  const password =
    parts.DB_PASSWORD === undefined ? '' : `:${encodeURIComponent(parts.DB_PASSWORD)}`;
  const who = encodeURIComponent(user) + password;
  const where = `${host}:${DB_PORT}/${encodeURIComponent(name)}`;
  return { ...environment, DATABASE_URL: `postgres://${who}@${where}` };
}

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
