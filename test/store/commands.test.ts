import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeAddresses } from '../../src/base/addresses.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { runToEnd } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('npm run migrate', () => {
  test('says what it did, and that there is nothing to do', async () => {
    const url = await createTestDatabase({ isEmpty: true });
    const migrate = (...args: string[]) => runToEnd('migrate', args, { DATABASE_URL: url });
    expect(await migrate('up', '1')).toMatchObject({ exitCode: 0, stdout: 'up 001_candle\n' });
    expect((await migrate('up')).stdout).toMatch(/^up 002_gap\n(up .*\n)+$/u);
    expect(await migrate('up', 'all')).toMatchObject({ stdout: 'Nothing to migrate up\n' });
    expect((await migrate('down')).stdout).toMatch(/^down \d+_\w+\n$/u);
    expect((await migrate('down', 'all')).stdout).toMatch(/^(down .*\n)+down 001_candle\n$/u);
  });

  test.each([
    [[], 2, "missing required argument 'direction'"],
    [['sideways'], 2, 'Allowed choices are up, down'],
    [['up', '0'], 2, 'expected a number from 1 to 9999, or all'],
    [['up'], 2, 'DATABASE_URL: expected the URL of a Postgres'],
  ])('%j is refused with exit code %d', async (args, exitCode, message) => {
    const result = await runToEnd('migrate', args);
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toContain(message);
  });

  test('names the database that does not answer, without a stack', async () => {
    const result = await runToEnd('migrate', ['up'], {
      DB_WRITE_DSN: 'postgres://u:p@127.0.0.1:1/x',
    });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toBe(
      'The database at 127.0.0.1:1/x does not answer: connect ECONNREFUSED 127.0.0.1:1\n',
    );
  });
});

describe('npm run sql', () => {
  const sql = async (args: readonly string[]) => {
    const directory = temporaryDirectory();
    const database = await createTestDatabase();
    writeAddresses(directory, { pid: process.pid, server: 'http://127.0.0.1:1', database });
    return runToEnd('sql', args, { TRADEWIND_DIRECTORY: directory });
  };
  const statement = `select name, n, at from (values
    ('one', 1.50, null), ('two "2"', 22::numeric, timestamptz '2026-01-01 00:00:00.000001+00')
  ) as t (name, n, at)`;

  test('prints a table for people', async () => {
    const { stdout, exitCode } = await sql([statement]);
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      [
        'name        n  at',
        'one      1.50',
        'two "2"    22  2026-01-01 00:00:00.000001+00',
        '',
      ].join('\n'),
    );
  });

  test.each([
    [
      '--json',
      '{"name":"one","n":"1.50","at":null}\n{"name":"two \\"2\\"","n":"22","at":"2026-01-01 00:00:00.000001+00"}\n',
    ],
    ['--csv', 'name,n,at\none,1.50,\n"two ""2""",22,2026-01-01 00:00:00.000001+00\n'],
  ])('prints %s for programs', async (flag, expected) => {
    expect((await sql([statement, flag])).stdout).toBe(expected);
  });

  test('gives integers and booleans to JSON as such, and what JSON would round as texts', async () => {
    const { stdout } = await sql([
      'select count(*), true as yes, 0.1 as decimal, 9007199254740993 as large from candle_run',
      '--json',
    ]);
    expect(stdout).toBe('{"count":0,"yes":true,"decimal":"0.1","large":"9007199254740993"}\n');
  });

  test('says what was done when there are no rows to show', async () => {
    const { stdout } = await sql(['insert into candle_run values (1), (2)']);
    expect(stdout).toBe('INSERT 2\n');
  });

  test('tells what Postgres says of a statement that is none', async () => {
    const { stderr, exitCode } = await sql(['selec 1']);
    expect(exitCode).toBe(1);
    expect(stderr).toBe('error: syntax error at or near "selec" (42601)\n');
  });

  test('says so when nothing runs', async () => {
    const directory = temporaryDirectory();
    const nothing = await runToEnd('sql', ['select 1'], { TRADEWIND_DIRECTORY: directory });
    expect(nothing).toMatchObject({ exitCode: 1, stdout: '' });
    expect(nothing.stderr).toContain('npm start');
    writeFileSync(join(directory, 'addresses.json'), '{');
    const broken = await runToEnd('sql', ['select 1'], { TRADEWIND_DIRECTORY: directory });
    expect(broken.exitCode).toBe(1);
  });
});
