import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Database } from '../../src/store/database.ts';
import { openDatabase } from '../../src/store/database.ts';
import { DatabaseCheck } from '../../src/store/database-check.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { TwinClock } from '../support/twin-clock.ts';

/** A database that answers, or fails to, as a test says; `asked` counts how often. */
function aDatabase(answer: () => Promise<unknown>) {
  const told = { asked: 0 };
  const run = async <T>() => {
    told.asked++;
    return (await answer()) as T;
  };
  const database: Database = {
    run,
    transaction: run,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { database, told };
}

test('a database that answers is up', async () => {
  await using database = await openTestDatabase();
  const check = new DatabaseCheck(database, systemClock);
  expect(await check.status()).toEqual({ isUp: true, reason: '' });
});

test('one that cannot be reached is not, and the reason is told', async () => {
  const url = 'postgres://user:secret@127.0.0.1:1/none';
  const surroundings = { clock: systemClock, logger: silentLogger };
  await using database = openDatabase({ url, program: 'test', ...surroundings });
  const check = new DatabaseCheck(database, systemClock);
  expect(await check.status()).toEqual({
    isUp: false,
    reason: 'connect ECONNREFUSED 127.0.0.1:1',
  });
});

test('one that does not answer is not, after a second', async () => {
  const clock = new TwinClock();
  const { database } = aDatabase(() => new Promise(() => {}));
  const status = new DatabaseCheck(database, clock).status();
  await clock.advance(1000);
  expect(await status).toEqual({ isUp: false, reason: 'It did not answer within 1000 ms' });
});

test('it is asked once, however many want to know, and again half a second later', async () => {
  const clock = new TwinClock();
  let isUp = true;
  const { database, told } = aDatabase(() =>
    isUp ? Promise.resolve([]) : Promise.reject(new Error('It is away')),
  );
  const check = new DatabaseCheck(database, clock);
  const all = await Promise.all([check.status(), check.status(), check.status()]);
  expect([told.asked, all.map((status) => status.isUp)]).toEqual([1, [true, true, true]]);
  isUp = false;
  await clock.advance(500);
  expect(await check.status()).toEqual({ isUp: false, reason: 'It is away' });
  expect(told.asked).toBe(2);
});
