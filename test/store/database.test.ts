import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openDatabase } from '../../src/store/database.ts';
import {
  classifyDatabaseError,
  databaseAddress,
  describeDatabaseError,
} from '../../src/store/database-error.ts';
import { eventually } from '../support/eventually.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { openStallingProxy } from '../support/stalling-proxy.ts';
import { TwinClock } from '../support/twin-clock.ts';

const open = (url: string, clock = systemClock) =>
  openDatabase({ url, program: 'test', clock, logger: silentLogger });

test('every session has the bounds that Postgres itself keeps, and a name', async () => {
  await using database = open(await createTestDatabase({ isEmpty: true }));
  const rows = await database.run(
    (sql) => sql<{ name: string; setting: string }>`
      select name, setting from pg_settings
      where name in ('application_name', 'statement_timeout', 'lock_timeout',
        'idle_in_transaction_session_timeout', 'TimeZone')
      order by name collate "C"`,
  );
  expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
    TimeZone: 'UTC',
    application_name: 'test',
    idle_in_transaction_session_timeout: '10000',
    lock_timeout: '2000',
    statement_timeout: '5000',
  });
});

test('an integer that a number cannot hold is an error, not another integer', async () => {
  await using database = open(await createTestDatabase({ isEmpty: true }));
  await expect(database.run((sql) => sql`select 9007199254740993 as n`)).rejects.toThrow(
    'a number can hold',
  );
  expect(await database.run((sql) => sql`select 9007199254740991 as n`)).toEqual([
    { n: 9_007_199_254_740_991 },
  ]);
});

test.each([
  ["select '1e400'::float8", 'data'],
  ['select 1 / 0', 'data'],
  ["select '\\x00'::bytea::text::integer", 'data'],
  ['select 1::numeric(1,1)', 'data'],
  ['select * from nowhere', 'outage'],
  ['set local statement_timeout = 1; select pg_sleep(5)', 'outage'],
  ['select pg_terminate_backend(pg_backend_pid())', 'outage'],
] as const)('%s is a failure of kind %s', async (statement, kind) => {
  await using database = open(await createTestDatabase({ isEmpty: true }));
  const error: unknown = await database
    .run((sql) => sql.text(statement))
    .catch((error: unknown) => error);
  expect(classifyDatabaseError(error)).toBe(kind);
  expect(describeDatabaseError(error)).not.toBe('');
});

test.each(['postgres://u:p@127.0.0.1:1/db', 'postgres://u:p@name.invalid:5432/db'])(
  'a database that is not there (%s) is an outage',
  async (url) => {
    await using database = open(url);
    const error: unknown = await database
      .run((sql) => sql`select 1`)
      .catch((error: unknown) => error);
    expect(classifyDatabaseError(error)).toBe('outage');
  },
);

test('a connection that goes silent is given up, and the next question gets an answer', async () => {
  const url = new URL(await createTestDatabase({ isEmpty: true }));
  await using proxy = await openStallingProxy(Number(url.port));
  url.port = String(proxy.port);
  const clock = new TwinClock();
  await using database = open(url.href, clock);
  expect(await database.run((sql) => sql`select 1 as n`)).toEqual([{ n: 1 }]);

  proxy.stall();
  const question = database.run((sql) => sql`select 2 as n`);
  const refusal = expect(question).rejects.toThrow('did not answer');
  let isRefused = false;
  void refusal.then(() => (isRefused = true));
  await eventually(() => {
    clock.moveTo(clock.now() + 60_000_000);
    return isRefused;
  });
  proxy.resume();
  expect(await database.run((sql) => sql`select 3 as n`)).toEqual([{ n: 3 }]);
});

test('more work than the store can take is refused at once', async () => {
  await using database = open(await createTestDatabase({ isEmpty: true }));
  const release = Promise.withResolvers<void>();
  const running = Array.from({ length: 256 }, () => database.run(() => release.promise));
  await expect(database.run(() => release.promise)).rejects.toMatchObject({
    reason: 'unavailable',
  });
  release.resolve();
  await Promise.all(running);
  expect(await database.run((sql) => sql`select 1 as n`)).toEqual([{ n: 1 }]);
});

test('a message names a database without its user and password', () => {
  expect(databaseAddress('postgres://user:secret@host:5432/name')).toBe('host:5432/name');
});

test('a transaction that is allowed to take long is given up when that is over', async () => {
  const clock = new TwinClock();
  await using database = open(await createTestDatabase({ isEmpty: true }), clock);
  const { promise: gate, resolve: end } = Promise.withResolvers<void>();
  let hasBegun = false;
  const long = database.transaction(
    async (sql) => {
      hasBegun = true;
      await gate;
      return await sql`select 1 as n`;
    },
    { longestMs: 60_000 },
  );
  const short = database.transaction(() => gate);
  const refusals = [
    expect(short).rejects.toThrow('within 10000 ms'),
    expect(long).rejects.toThrow('within 60000 ms'),
  ];
  await eventually(() => hasBegun && clock.pendingTimers === 2);
  await clock.advance(59_000, 1_000);
  await refusals[0];
  await clock.advance(2_000, 1_000);
  await refusals[1];
  end();
});
