import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import {
  PositionService,
  RecordOutcome,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import type { NewExecution } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { KilledImport } from '../../story/killed-import.ts';
import { eventually } from '../../support/eventually.ts';
import { runToEnd } from '../../support/run-program.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { startServiceStub } from '../service-stub.ts';

/** A server that keeps executions by source and id, and refuses what `refuse` says. */
async function aServer(refuse: (execution: NewExecution) => string | undefined = () => undefined) {
  const kept = new Map<string, NewExecution>();
  let outages = 0;
  let batches = 0;
  let mostBatches = Infinity;
  const stub = await startServiceStub(PositionService, {
    recordExecutions: ({ source, executions }) => {
      if (outages-- > 0) throw new ConnectError('the store is away', Code.Unavailable);
      if (++batches > mostBatches) throw new ConnectError('no more', Code.Unavailable);
      if (source === 'a b')
        throw new ConnectError('source: expected no blank', Code.InvalidArgument);
      const results = executions.map((execution) => {
        const reason = refuse(execution);
        if (reason !== undefined) return { outcome: RecordOutcome.REFUSED, reason };
        const key = `${source}/${execution.sourceId}`;
        if (kept.has(key)) return { outcome: RecordOutcome.DUPLICATE };
        kept.set(key, execution);
        return { outcome: RecordOutcome.RECORDED };
      });
      return { results };
    },
  });
  return {
    kept,
    address: stub.address,
    get batches() {
      return batches;
    },
    failNext: (count: number) => (outages = count),
    /** Answers so many batches, and then none. */
    failAfter: (count: number) => (mostBatches = batches + count),
    run: (...args: readonly string[]) => runToEnd('cli', [...args, '--server', stub.address]),
    [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose](),
  };
}

/** What an import has written beside a file. */
function refusedIn(file: string): { line: number; reason: string; text: string }[] {
  const lines = readFileSync(`${file}.refused`, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

const header = 'source_id,instrument,quantity,price,executed_at';

test('a CSV file is imported, each number as it was written', async () => {
  await using server = await aServer();
  const directory = temporaryDirectory();
  const file = join(directory, 'executions.csv');
  const columns = 'executed_at,price,quantity,instrument,source_id,account,fee,source,exchange';
  writeFileSync(
    file,
    `\uFEFF${columns}\r\n` +
      '1650896178,23.10000000000000001,100,123,1,,,,\r\n' +
      '2022-04-25T14:16:20Z,0.00000001,-7,"A,B",2,alice,0.1,broker,kraken\r\n',
  );
  const { exitCode, stdout } = await server.run('import', file);
  expect([exitCode, stdout]).toEqual([0, '2 recorded, 0 recorded before, 0 refused\n']);
  expect([...server.kept]).toMatchObject([
    ['file/1', { instrument: '123', quantity: '100', price: '23.10000000000000001' }],
    [
      'broker/2',
      {
        account: 'alice',
        instrument: 'kraken:A,B',
        quantity: '-7',
        price: '0.00000001',
        fee: '0.1',
      },
    ],
  ]);
  expect(existsSync(`${file}.import-progress`)).toBe(false);
});

test('JSON lines are imported, numbers with the digits that stand there', async () => {
  await using server = await aServer();
  const directory = temporaryDirectory();
  const file = join(directory, 'executions.jsonl');
  const row = (price: string) =>
    `{"source_id":"1","instrument":123,"quantity":-0.10,"price":${price},"executed_at":1650896178}\n`;
  writeFileSync(file, row('23.100000000000000001'));
  const { exitCode } = await server.run('import', file);
  expect(exitCode).toBe(0);
  expect(server.kept.get('file/1')).toMatchObject({
    instrument: '123',
    quantity: '-0.10',
    price: '23.100000000000000001',
  });
});

test('refused rows go to a file with the reason, and all others are recorded', async () => {
  await using server = await aServer(({ quantity }) =>
    quantity === '0' ? 'quantity: expected other than 0' : undefined,
  );
  const directory = temporaryDirectory();
  const file = join(directory, 'executions.csv');
  writeFileSync(
    file,
    [
      header,
      '1,123,100,23,1650896178',
      '2,123,0,23,1650896178',
      '3,123,1,23,never',
      '4,123,5,23,1650896179',
    ].join('\n'),
  );
  const { exitCode, stdout, stderr } = await server.run('import', file);
  expect([exitCode, stdout]).toEqual([1, '2 recorded, 0 recorded before, 2 refused\n']);
  expect(stderr.split('\n')).toEqual([
    `error: 2 rows were refused, see ${file}.refused`,
    '  line 3: quantity: expected other than 0',
    '  line 4: executed_at: expected RFC 3339 or a number since 1970, got "never"',
    '',
  ]);
  expect(refusedIn(file)).toEqual([
    { line: 3, reason: 'quantity: expected other than 0', text: '2,123,0,23,1650896178' },
    {
      line: 4,
      reason: 'executed_at: expected RFC 3339 or a number since 1970, got "never"',
      text: '3,123,1,23,never',
    },
  ]);
});

test('an import outlasts an outage, and one that was cut off goes on where it was', async () => {
  await using server = await aServer();
  const directory = temporaryDirectory();
  const file = join(directory, 'executions.csv');
  const rows = Array.from(
    { length: 12_000 },
    (_, index) => `${index},123,1,23,${1_650_000_000 + index}`,
  );
  writeFileSync(file, [header, ...rows].join('\n'));
  server.failNext(2);
  const first = await server.run('import', file);
  expect([first.exitCode, server.kept.size]).toEqual([0, 12_000]);
  expect(first.stderr).toBe('the store is away; trying again for up to 60 s …\n');

  server.kept.clear();
  server.failNext(1_000_000);
  const cut = await server.run('import', file, '--patience', '1ms');
  expect([cut.exitCode, cut.stderr]).toEqual([1, expect.stringContaining('the store is away')]);
  server.failNext(0);
  const again = await server.run('import', file);
  expect([again.exitCode, server.kept.size]).toEqual([0, 12_000]);
});

test('refused rows are told once and in their order, however often an import was cut off', async () => {
  await using server = await aServer(({ quantity }) =>
    quantity === '0' ? 'quantity: expected other than 0' : undefined,
  );
  const file = join(temporaryDirectory(), 'executions.csv');
  // Of 12,000 rows 24 are refused by the server, and 24 cannot be read.
  const rows = Array.from({ length: 12_000 }, (_, index) => {
    const time = index % 500 === 250 ? 'never' : `${1_650_000_000 + index}`;
    return `${index},123,${index % 500 === 0 ? 0 : 1},23,${time}`;
  });
  writeFileSync(file, [header, ...rows].join('\n'));
  for (const batches of [1, 2]) {
    server.failAfter(1);
    await using killed = new KilledImport(file, server.address);
    await eventually(async () => ((await killed.rows()) ?? 0) >= batches * 5_000);
    await killed[Symbol.asyncDispose]();
    // As if it had been killed between telling what is refused and noting that.
    appendFileSync(`${file}.refused`, '{"line":12001,"reason":"quantity: expec');
  }
  server.failAfter(Infinity);
  const { exitCode, stderr } = await server.run('import', file);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Going on after row 10000')]);
  expect(refusedIn(file).map(({ line }) => line)).toEqual(
    Array.from({ length: 48 }, (_, index) => 2 + index * 250),
  );
  expect(server.kept.size).toBe(12_000 - 48);
});

test('rows of a source that may not be are refused, and all others are recorded', async () => {
  await using server = await aServer();
  const file = join(temporaryDirectory(), 'executions.csv');
  const rows = ['a', 'a b', 'a'].map((source, index) => `${index},123,1,23,1650896178,${source}`);
  writeFileSync(file, [`${header},source`, ...rows].join('\n'));
  const { stdout } = await server.run('import', file);
  expect(stdout).toBe('2 recorded, 0 recorded before, 1 refused\n');
  expect(refusedIn(file)).toMatchObject([{ line: 3, reason: 'source: expected no blank' }]);
});

test('random executions that are stopped say how many were recorded', async () => {
  await using server = await aServer();
  const cli = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    [cli, 'trade', '9000000', '1', '--server', server.address],
    {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    },
  );
  const output = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  await eventually(() => server.batches > 10);
  child.kill('SIGINT');
  const [stdout, stderr] = await output;
  expect(child.exitCode).toBe(1);
  expect(stdout).toMatch(/^[1-9]\d* recorded\n$/u);
  expect(stderr).toMatch(/^error: stopped; /mu);
});

test('random executions that are all refused are not sent to the end', async () => {
  await using server = await aServer(() => 'instrument: "NOSUCH" is not known');
  const { exitCode, stdout, stderr } = await server.run('trade', '1000000', 'NOSUCH');
  expect([exitCode, stdout, stderr]).toEqual([
    1,
    '0 recorded\n',
    'error: instrument: "NOSUCH" is not known\n',
  ]);
  expect(server.batches).toBeLessThan(10);
});

test('random executions are never zero, and have ids of their own', async () => {
  await using server = await aServer();
  const { exitCode, stdout } = await server.run('trade', '2500', '123', '233');
  expect([exitCode, stdout]).toEqual([0, '2500 recorded\n']);
  const executions = [...server.kept.values()];
  expect(executions).toHaveLength(2500);
  const isSound = ({ quantity, price, executedTime }: NewExecution) =>
    /^-?[1-9]\d{0,2}$/u.test(quantity) &&
    Number(price) > 0 &&
    (executedTime?.seconds ?? 0n) >= 946_684_800n;
  expect(executions.filter((execution) => !isSound(execution))).toEqual([]);
  expect(new Set(executions.map(({ instrument }) => instrument))).toEqual(new Set(['123', '233']));
});

test.each([
  [
    'a header that lacks columns',
    'source_id,price\n1,2\n',
    /instrument, quantity, executed_at is missing/u,
  ],
  ['a file that is not there', undefined, /there is no such file/u],
])('%s is told in a line', async (_name, text, message) => {
  await using server = await aServer();
  const directory = temporaryDirectory();
  const file = join(directory, 'executions.csv');
  if (text !== undefined) writeFileSync(file, text);
  const { exitCode, stderr } = await server.run('import', file);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(message);
});
