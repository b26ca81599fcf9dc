import pg from 'pg';

/**
 * What an error of the database means for the one who caused it.
 * - `data`: it will be refused for ever, so that trying again is no use.
 * - `noPartition`: its partition is missing.
 * - `outage`: it is not the data's fault. It may pass; the whole transaction can be tried again.
 */
export type DatabaseErrorKind = 'data' | 'noPartition' | 'outage';

/** SQLSTATE classes that find fault with a value: 22 data, 23 constraints, 54 limits (index rows). */
const dataClasses = new Set(['22', '23', '54']);

export function classifyDatabaseError(error: unknown): DatabaseErrorKind {
  // Our own codecs refuse a value before the database sees it.
  if (error instanceof RangeError) return 'data';
  if (!(error instanceof pg.DatabaseError)) return 'outage';
  const { code = '', constraint } = error;
  // Postgres has no code of its own for it: a check violation without a constraint.
  if (code === '23514' && !constraint) return 'noPartition';
  return dataClasses.has(code.slice(0, 2)) ? 'data' : 'outage';
}

/** Whether Postgres ended this transaction because it and another one waited for each other. */
export function isLockedUp(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '40P01';
}

/** An error in one line: SQLSTATE, Postgres' words, and the constraint that was hurt. */
export function describeDatabaseError(error: unknown): string {
  if (!(error instanceof pg.DatabaseError)) return (error as Error).message;
  return `${error.message} (${error.code})`;
}

/** Host, port and database of a URL, for messages: without user and password. */
export function databaseAddress(url: string): string {
  if (!URL.canParse(url)) return 'a URL that cannot be read';
  const { host, pathname } = new URL(url);
  return host + pathname;
}
