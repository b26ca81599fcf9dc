import { inject } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Database } from '../../src/store/database.ts';
import { openDatabase } from '../../src/store/database.ts';

/** A fresh database in the run's Postgres, with the schema unless it is to be empty. */
export async function createTestDatabase(
  options: { readonly isEmpty?: boolean } = {},
): Promise<string> {
  const path = options.isEmpty === true ? '/empty' : '/';
  const response = await fetch(inject('testDatabases') + path, { method: 'POST' });
  const text = await response.text();
  if (!response.ok) throw new Error(`No test database: ${text}`);
  return text;
}

/** A fresh database with the schema, opened; its `url` is for further connections. */
export async function openTestDatabase(): Promise<Database & { readonly url: string }> {
  const url = await createTestDatabase();
  const database = openDatabase({ url, program: 'test', clock: systemClock, logger: silentLogger });
  return Object.assign(database, { url });
}
