import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from '../support/postgres.ts';
import { runToEnd } from '../support/run-program.ts';
import { openServedPositions } from '../support/served-positions.ts';
import type { ServedPositions } from '../support/served-positions.ts';
import { suppliedPositions, suppliedTrades } from '../support/supplied-example.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

let served: ServedPositions;
beforeAll(async () => {
  served = await openServedPositions(await createTestDatabase());
});
afterAll(() => served[Symbol.asyncDispose]());

const run = (...args: readonly string[]) => runToEnd('cli', [...args, '--server', served.address]);

/** The quantity at a time or, undefined, the latest; what is said where there is none. */
async function quantityOf(instrument: string, time?: number): Promise<string> {
  const at = time === undefined ? [] : [String(time)];
  const { exitCode, stdout, stderr } = await run('query', instrument, ...at, '--json');
  if (exitCode !== 0) return `${exitCode} ${stderr.trim()}`;
  return (JSON.parse(stdout) as { quantity: string }).quantity;
}

test('the supplied example, shuffled, twice and poisoned, has its positions at every second', async () => {
  const file = join(temporaryDirectory(), 'trades.csv');
  const lines = suppliedTrades.map(
    ({ sourceId, instrument, quantity, price, executedTime }) =>
      `${sourceId},${instrument},${quantity},${price},${executedTime.seconds}`,
  );
  const header = 'source_id,instrument,quantity,price,executed_at';
  const [one = '', two = '', three = '', four = '', five = ''] = lines;
  writeFileSync(file, [header, five, 'poison,123,0,1,1650896179', one].join('\n'));
  const first = await run('import', file);
  expect([first.exitCode, first.stdout]).toEqual([1, '2 recorded, 0 recorded before, 1 refused\n']);
  expect(first.stderr).toContain('line 3: quantity: expected other than 0');
  expect(existsSync(`${file}.refused`)).toBe(true);
  expect([await quantityOf('233'), await quantityOf('123')]).toEqual(['150', '100']);

  writeFileSync(file, [header, five, four, one, three, two].join('\n'));
  const second = await run('import', file);
  const told = [second.exitCode, second.stdout];
  expect(told).toEqual([0, '3 recorded, 2 recorded before, 0 refused\n']);
  expect(existsSync(`${file}.refused`)).toBe(false);
  expect((await run('import', file)).stdout).toBe('0 recorded, 5 recorded before, 0 refused\n');

  for (const { instrument, second: at, quantity } of suppliedPositions()) {
    const nothing = `1 error: There are no executions of external:${instrument} in the account default at or before that time`;
    expect([at, await quantityOf(instrument, at)]).toEqual([at, quantity ?? nothing]);
  }
});

test('what is recorded can be listed, followed in bins, rebuilt and frozen', async () => {
  const executions = await run('executions', '233');
  expect(executions.stdout).toMatch(
    /2022-04-25T14:16:18Z +external:233 +50 +6 +0 +file +supplied-2/u,
  );
  const history = await run('history', '123', '--bin', '1s');
  expect(history.stdout).toMatch(/14:16:21Z +107 +132 +107 +132 +25\n\nquantity .{4}\n$/u);
  const rebuilt = await run('position', '123', '1650896180');
  expect(rebuilt).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/external:123 +132 /u),
  });
  expect((await run('positions')).stdout).toMatch(/external:123 +132 .*\n.*external:233 +200 /u);
  expect((await run('freeze', '2022-04-25T14:16:20Z', '--instrument', '123')).exitCode).toBe(0);
  expect((await run('freezes')).stdout).toMatch(/2022-04-25T14:16:20Z +default +external:123/u);
});

test('random executions are recorded, and make positions', async () => {
  const { exitCode, stdout } = await run('trade', '3000', '1', '2', '--account', 'random');
  expect([exitCode, stdout]).toEqual([0, '3000 recorded\n']);
  const { stdout: positions } = await run('positions', '--account', 'random', '--json');
  const counts = positions
    .trim()
    .split('\n')
    .map((line) => Number((JSON.parse(line) as { executionCount: string }).executionCount));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3_000);
});
