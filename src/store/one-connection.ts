import pg from 'pg';
import type { Sql } from './sql.ts';
import { sqlOver, sqlTypes } from './sql.ts';

const connectTimeoutMs = 10_000;

/** Opens one connection for a piece of work: for tools and set-up, where a pool would be too much. */
export function withConnection<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  return withClient(url, (client) => work(sqlOver(client)));
}

/** The same for a library that wants the driver's own client. */
export async function withClient<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    options: '-c TimeZone=UTC -c DateStyle=ISO',
    types: sqlTypes,
  });
  // What is lost meanwhile is told to the statement under way.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
