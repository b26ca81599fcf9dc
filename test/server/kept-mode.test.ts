import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { modeToStartIn } from '../../src/server/kept-mode.ts';
import { openDatabase } from '../../src/store/database.ts';
import { ModeStore } from '../../src/store/mode-store.ts';
import { openTestDatabase } from '../support/postgres.ts';

const startIn = (configured: 'TEST' | 'LIVE', store: ModeStore | undefined) =>
  modeToStartIn(configured, store, silentLogger);

test('a server starts in the mode that is configured, until it was switched', async () => {
  await using database = await openTestDatabase();
  const store = new ModeStore(database);
  expect(await startIn('TEST', undefined)).toBe('TEST');
  expect(await startIn('TEST', store)).toBe('TEST');
  await store.keep({ mode: 'LIVE', configured: 'TEST' });
  expect(await startIn('TEST', store)).toBe('LIVE');
  expect(await startIn('TEST', store)).toBe('LIVE');
});

test('a configuration that was changed since a switch is the newer word, also when it is changed back', async () => {
  await using database = await openTestDatabase();
  const store = new ModeStore(database);
  await store.keep({ mode: 'LIVE', configured: 'TEST' });
  expect(await startIn('LIVE', store)).toBe('LIVE');
  expect(await startIn('TEST', store)).toBe('TEST');
  expect(await store.read()).toEqual({ mode: 'TEST', configured: 'TEST' });
});

test('the last switch alone is kept', async () => {
  await using database = await openTestDatabase();
  const store = new ModeStore(database);
  expect(await store.read()).toBeUndefined();
  await store.keep({ mode: 'LIVE', configured: 'TEST' });
  await store.keep({ mode: 'TEST', configured: 'TEST' });
  expect(await store.read()).toEqual({ mode: 'TEST', configured: 'TEST' });
  const rows = await database.run((sql) => sql`select mode from server_mode`);
  expect(rows).toEqual([{ mode: 'TEST' }]);
});

test('a database that is away keeps no server from starting', async () => {
  const surroundings = { clock: systemClock, logger: silentLogger };
  const url = 'postgres://127.0.0.1:1/none';
  await using database = openDatabase({ url, program: 'test', ...surroundings });
  expect(await startIn('LIVE', new ModeStore(database))).toBe('LIVE');
});
