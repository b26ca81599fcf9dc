import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openDatabase } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import { createTestDatabase } from '../support/postgres.ts';

const all = readdirSync(new URL('../../migrations', import.meta.url))
  .map((file) => file.replace(/\.sql$/u, ''))
  .toSorted();

describe('migrations', () => {
  test('go up, down and up again, and leave nothing behind when they are down', async () => {
    const url = await createTestDatabase({ isEmpty: true });
    expect(await migrate({ url, direction: 'up', logger: silentLogger })).toEqual(all);
    const schema = await describeSchema(url);
    expect(schema.length).toBeGreaterThan(100);
    expect(await migrate({ url, direction: 'up', logger: silentLogger })).toEqual([]);

    expect(await migrate({ url, direction: 'down', logger: silentLogger })).toEqual(all.slice(-1));
    expect(
      await migrate({ url, direction: 'down', count: Infinity, logger: silentLogger }),
    ).toEqual(all.slice(0, -1).toReversed());
    const left = await describeSchema(url);
    expect(left.filter((line) => !line.startsWith('schema_migration'))).toEqual([]);

    expect(await migrate({ url, direction: 'up', count: 1, logger: silentLogger })).toEqual([
      '001_candle',
    ]);
    await migrate({ url, direction: 'up', logger: silentLogger });
    expect(await describeSchema(url)).toEqual(schema);
  });

  test('three started at once run each migration once', async () => {
    const url = await createTestDatabase({ isEmpty: true });
    const runs = await Promise.all(
      [1, 2, 3].map(() => migrate({ url, direction: 'up', logger: silentLogger })),
    );
    expect(runs.toSorted((a, b) => a.length - b.length)).toEqual([[], [], all]);
  });

  test('a database that a newer version has migrated is not touched', async () => {
    const url = await createTestDatabase();
    await using database = openDatabase({
      url,
      program: 'test',
      clock: systemClock,
      logger: silentLogger,
    });
    await database.run(
      (sql) => sql`insert into schema_migration (name, run_on) values ('999_later', now())`,
    );
    await expect(migrate({ url, direction: 'up', logger: silentLogger })).rejects.toThrow(
      'it knows 999_later, this version does not',
    );
  });

  test('a database that is away is named, without its password', async () => {
    const url = 'postgres://user:secret@127.0.0.1:1/tradewind';
    const refusal = migrate({ url, direction: 'up', logger: silentLogger });
    await expect(refusal).rejects.toThrow('The database at 127.0.0.1:1/tradewind does not answer');
    await expect(refusal).rejects.not.toThrow('secret');
  });
});

async function describeSchema(url: string): Promise<string[]> {
  await using database = openDatabase({
    url,
    program: 'test',
    clock: systemClock,
    logger: silentLogger,
  });
  const rows = await database.run(
    (sql) => sql<{ line: string }>`
      select concat_ws(' ', relname, relkind, attname, atttypid::regtype) as line
      from pg_class
      left join pg_attribute on attrelid = pg_class.oid and attnum > 0
      where relnamespace = 'public'::regnamespace
      order by 1`,
  );
  return rows.map(({ line }) => line);
}
