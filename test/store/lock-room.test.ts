import { pino } from 'pino';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Database } from '../../src/store/database.ts';
import { openDatabase } from '../../src/store/database.ts';
import { warnOfFewLocks } from '../../src/store/lock-room.ts';
import { openTestDatabase } from '../support/postgres.ts';

function aLog() {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { lines, logger: pino({ level: 'info' }, { write }) };
}

/** A database that answers as if it had this setting and these months. */
function aDatabase(value: number, partitions: number): Database {
  const run = async <T>() => [{ value, partitions }] as T;
  return { run, transaction: run, [Symbol.asyncDispose]: () => Promise.resolve() };
}

test('more months than Postgres has locks for are warned of, naming the setting', async () => {
  const { lines, logger } = aLog();
  await warnOfFewLocks(aDatabase(64, 116), logger);
  expect(lines).toEqual([]);
  await warnOfFewLocks(aDatabase(64, 117), logger);
  expect(lines).toMatchObject([
    {
      setting: 'max_locks_per_transaction',
      value: 64,
      needed: 65,
      partitions: 117,
      msg: expect.stringContaining('raise max_locks_per_transaction'),
    },
  ]);
});

test('months are those of the executions, the setting that of Postgres', async () => {
  await using database = await openTestDatabase();
  await database.run((sql) => sql`select attach_execution_partition('2020-01-01')`);
  const told: unknown[] = [];
  const watched: Database = {
    ...aDatabase(0, 0),
    run: async (work) => {
      const result = await database.run(work);
      told.push(result);
      return result;
    },
  };
  await warnOfFewLocks(watched, silentLogger);
  const [row] = await database.run((sql) => sql`show max_locks_per_transaction`);
  const value = Number(row?.['max_locks_per_transaction']);
  expect(told).toEqual([[{ value, partitions: 1 }]]);
});

test('what is read of a short time locks its months alone', async () => {
  await using database = await openTestDatabase();
  await database.run(
    (sql) => sql`
      select attach_execution_partition('2020-01-01'::timestamptz + month * interval '1 month')
      from generate_series(0, 19) as month`,
  );
  const locked = await database.transaction(async (sql) => {
    await sql`
      select * from read_executions(
        'a', 'x:1', '2020-05-02T00:00:00Z', '', '', '2020-06-03T00:00:00Z', 9)`;
    const rows = await sql<{ name: string }>`
      select relname as name from pg_locks join pg_class on pg_class.oid = relation
      where pid = pg_backend_pid() and relname like 'execution%' and relkind = 'r'
      order by name`;
    return rows.map(({ name }) => name);
  });
  expect(locked).toEqual(['execution_202005', 'execution_202006']);
});

test('without a database nothing is warned of', async () => {
  const url = 'postgres://user:secret@127.0.0.1:1/none';
  const surroundings = { clock: systemClock, logger: silentLogger };
  await using database = openDatabase({ url, program: 'test', ...surroundings });
  const { lines, logger } = aLog();
  await warnOfFewLocks(database, logger);
  expect(lines).toEqual([]);
});
