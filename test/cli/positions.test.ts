import { execFileSync } from 'node:child_process';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { Timeframe } from '../../gen/tradewind/market/v1/candle_pb.ts';
import { PositionService } from '../../gen/tradewind/position/v1/position_service_pb.ts';
import { timestampOf } from '../../src/rpc/messages.ts';
import { noon } from '../support/builders.ts';
import { runToEnd } from '../support/run-program.ts';
import { startServiceStub } from './service-stub.ts';

const aPosition = (quantity: string) => ({
  account: 'default',
  instrument: 'external:123',
  quantity,
  averageOpenPrice: '23',
  cost: '2300',
  realizedProfit: '0',
  fees: '0',
  executionCount: 1n,
  asOfTime: timestampOf(noon),
  lastExecutedTime: timestampOf(noon),
});

async function ask(stub: Partial<ServiceImpl<typeof PositionService>>, ...args: readonly string[]) {
  await using server = await startServiceStub(PositionService, stub);
  return await runToEnd('cli', [...args, '--server', server.address]);
}

test('query shows the position at a time, or the latest', async () => {
  const asked: unknown[] = [];
  const stub = {
    queryPosition: ({ instrument, at }: { instrument: string; at?: unknown }) => {
      asked.push([instrument, at]);
      return { position: aPosition('100') };
    },
  };
  const { exitCode, stdout } = await ask(stub, 'query', '123', '2022-04-25T14:16:20Z');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/default +external:123 +100 +23 +0 +- +0 +1 +2026-01-01T12:00:00Z/u);
  await ask(stub, 'query', '123');
  expect(asked).toMatchObject([
    ['123', { seconds: 1_650_896_180n }],
    ['123', undefined],
  ]);
});

test.each(
  ['query', 'position', 'executions', 'history'].flatMap((command) => [
    [command, []],
    [command, ['--json']],
  ]) satisfies [string, string[]][],
)('%s %j of an instrument without executions says so and fails', async (command, flags) => {
  const notFound = () => {
    throw new ConnectError('There are no executions of external:999', Code.NotFound);
  };
  const { exitCode, stdout, stderr } = await ask(
    {
      queryPosition: notFound,
      rebuildPositions: notFound,
      listExecutions: () => ({ executions: [] }),
      listPositionHistory: notFound,
    },
    command,
    '999',
    ...(command === 'history' ? ['--bin', '1h'] : []),
    ...flags,
  );
  expect([exitCode, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^error: there are no executions of .*999/imu);
});

test('position rebuilds after a time, then shows what there is', async () => {
  const { exitCode, stdout } = await ask(
    {
      async *rebuildPositions({ instrument, after }) {
        expect([instrument, after?.seconds]).toEqual(['123', 1_650_896_178n]);
        yield { foldedCount: 1n, totalCount: 2n };
        yield { foldedCount: 2n, totalCount: 2n, complete: true, position: aPosition('107') };
      },
    },
    'position',
    '123',
    '1650896178',
  );
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('107')]);
});

test('history is a table with a line of blocks, over as many pages as it takes', async () => {
  const bin = (index: number, close: string) => ({
    startTime: timestampOf(noon + index * 3_600_000_000),
    endTime: timestampOf(noon + (index + 1) * 3_600_000_000),
    openQuantity: '0',
    highQuantity: close,
    lowQuantity: '0',
    closeQuantity: close,
    tradedVolume: close,
  });
  const widths: unknown[] = [];
  const { stdout } = await ask(
    {
      listPositionHistory: ({ bin: width, pageToken }) => {
        widths.push(width);
        return pageToken === ''
          ? { bins: [bin(0, '1'), bin(1, '2')], nextPageToken: 'more' }
          : { bins: [bin(2, '8')] };
      },
    },
    'history',
    '123',
    '--bin',
    '1M',
  );
  expect(widths).toEqual([Timeframe.MO1, Timeframe.MO1]);
  expect(stdout).toMatch(/2026-01-01T14:00:00Z +0 +8 +0 +8 +8\n\nquantity ▁▂█\n$/u);
});

test('freezing says up to when, and freezes are listed', async () => {
  const freeze = { freezeId: '7', until: timestampOf(noon) };
  const frozen = await ask({ freezePositions: () => ({ freeze }) }, 'freeze', '1650896178');
  expect(frozen.stdout).toBe('Frozen up to 2026-01-01T12:00:00Z for the account default as 7\n');
  const listed = await ask({ listFreezes: () => ({ freezes: [freeze] }) }, 'freezes');
  expect(listed.stdout).toMatch(/7 +2026-01-01T12:00:00Z +all +all +-/u);
});

test.each<[readonly string[], string]>([
  [[], 'default'],
  [['--account', 'alice'], 'alice'],
  // The contract's word for all of them: nobody freezes those without having said so.
  [['--all-accounts'], ''],
])('freeze %j is about the account "%s"', async (flags, expected) => {
  const asked: string[] = [];
  const stub = {
    freezePositions: ({ account }: { account: string }) => {
      asked.push(account);
      return { freeze: { freezeId: '7', until: timestampOf(noon) } };
    },
  };
  const { exitCode } = await ask(stub, 'freeze', '1650896178', ...flags);
  expect([exitCode, asked]).toEqual([0, [expected]]);
});

test.each([
  [['freeze', '1650896178', '--account', 'a', '--all-accounts'], /cannot be used with/u],
  [['query', '123', 'yesterday'], /Expected a time like/u],
  [['history', '123', '--bin', '0s'], /is invalid/u],
  [['history', '123'], /required option '--bin/u],
  [['trade', '0', '123'], /Expected a number from 1/u],
  [['trade', '5'], /missing required argument 'instrument'/u],
])('%j is refused with what was expected', async (args, message) => {
  const { exitCode, stderr } = await runToEnd('cli', args);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});

test('bash completes subcommands and flags', async () => {
  const { stdout: script } = await runToEnd('cli', ['completion', 'bash']);
  const complete = (...words: readonly string[]) => completeWith(script, words);
  expect(complete('order', 'se')).toBe('sell');
  expect(complete('order', 'sell', '--ti')).toBe('--tif --timeout');
  expect(complete('completion', '')).toBe('bash zsh --help');
});

function completeWith(script: string, words: readonly string[]): string {
  const quoted = ['tradewind', ...words].map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _tradewind_completion; echo "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', `${script}\n${ask}`], { encoding: 'utf8' }).trim();
}
