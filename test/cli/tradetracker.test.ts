import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/postgres.ts';
import { runTool } from '../support/run-tool.ts';
import { openServedPositions } from '../support/served-positions.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** Runs the command line by its other name, as npm links it. */
function tradetracker(...args: readonly string[]) {
  const directory = temporaryDirectory();
  const link = join(directory, 'tradetracker');
  symlinkSync(cli, link);
  const env = { PATH: process.env['PATH'], TRADEWIND_DIRECTORY: directory };
  return runTool(process.execPath, ['--', link, ...args], { cwd: directory, env });
}

test.each([
  [['--help'], /Usage: tradetracker .*trade.*position.*query.*completion/su],
  [['help', 'trade'], /Usage: tradetracker trade \[options\] <num> <instrument\.\.\.>/u],
  [['trade', '--help'], /Record random executions.*\$ tradetracker trade 1000 123 233/su],
  [['position', '--help'], /Usage: tradetracker position \[options\] <instrument> \[time\]/u],
  [['query', '--help'], /Usage: tradetracker query \[options\] <instrument> \[time\]/u],
  [['completion', 'bash'], /complete .*tradetracker/u],
])('tradetracker %j answers as its readers know it', async (args, answer) => {
  const { exitCode, stdout } = await tradetracker(...args);
  expect([exitCode, stdout]).toEqual([0, expect.stringMatching(answer)]);
});

test('the flags that it had are taken and say nothing, before the command and behind it', async () => {
  await using served = await openServedPositions(await createTestDatabase());
  const database = ['--postgres_host', 'db', '--postgres_port=5432', '--max_pg_open_conn', '80'];
  const others = ['--log_level=info', '--env', 'prod', '--port', '8081', '--max_goroutines', '200'];
  const at = ['--server', served.address];
  const traded = await tradetracker(...database, 'trade', '5', '123', ...others, ...at);
  expect([traded.exitCode, traded.stdout]).toEqual([0, '5 recorded\n']);
  const { stdout } = await tradetracker('trade', '--help');
  expect(stdout).not.toMatch(/postgres|log_level/u);
  expect((await tradetracker('completion', 'bash')).stdout).not.toMatch(/postgres|log_level/u);
});

test('its three commands work as they are printed', async () => {
  await using served = await openServedPositions(await createTestDatabase());
  const at = ['--server', served.address];
  const missing = await tradetracker('query', '123', ...at);
  expect([missing.exitCode, missing.stderr]).toEqual([
    1,
    'error: There are no executions of external:123 in the account default\n',
  ]);
  const traded = await tradetracker('trade', '50', '123', '233', ...at);
  expect([traded.exitCode, traded.stdout]).toEqual([0, '50 recorded\n']);
  const held = await tradetracker('query', '123', ...at);
  expect(held.stdout).toMatch(/^ACCOUNT .*\ndefault +external:123 /u);
  const rebuilt = await tradetracker('position', '123', ...at);
  expect([rebuilt.exitCode, rebuilt.stdout]).toEqual([0, held.stdout]);
  const before = await tradetracker('query', '123', '1999-12-31T23:59:59Z', ...at);
  expect(before.exitCode).toBe(1);
});
