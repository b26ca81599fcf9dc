import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RecordOutcome } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import type { RecordResult } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { timestampOf } from '../../../src/rpc/messages.ts';
import { anExecutionRow, secondsAfterNoon } from '../../support/an-execution-row.ts';
import type { ExecutionRow } from '../../support/an-execution-row.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { openServedPositions } from '../../support/served-positions.ts';
import type { ServedPositions } from '../../support/served-positions.ts';

let served: ServedPositions;
beforeAll(async () => {
  served = await openServedPositions(await createTestDatabase());
});
afterAll(() => served[Symbol.asyncDispose]());

const { RECORDED, DUPLICATE, CONFLICT, REFUSED } = RecordOutcome;

async function record(...executions: readonly ExecutionRow[]): Promise<readonly RecordResult[]> {
  return (await served.client.recordExecutions({ executions: [...executions] })).results;
}

const outcomesOf = (results: readonly RecordResult[]) => results.map(({ outcome }) => outcome);

/** The code of a batch that is refused as such. */
async function codeOf(answer: Promise<unknown>): Promise<Code> {
  return ConnectError.from(await answer.catch((error: unknown) => error)).code;
}

test('each row is answered in its place: recorded, duplicate, conflict or refused', async () => {
  const one = anExecutionRow();
  const two = anExecutionRow();
  expect(outcomesOf(await record(one))).toEqual([RECORDED]);
  const results = await record(
    two,
    one,
    { ...one, price: '101' },
    anExecutionRow({ quantity: '0' }),
    two,
    { ...two, quantity: '-1' },
  );
  expect(outcomesOf(results)).toEqual([
    RECORDED,
    DUPLICATE,
    CONFLICT,
    REFUSED,
    DUPLICATE,
    CONFLICT,
  ]);
  expect(results.map(({ code }) => code)).toEqual([0, 0, 6, 3, 0, 6]);
  expect(results[2]).toMatchObject({
    field: 'source_id',
    reason: expect.stringContaining('other contents'),
  });
  expect(results[3]).toMatchObject({
    field: 'quantity',
    reason: 'quantity: expected other than 0',
  });
});

test('a number is the same however it is written, and an id may come again in another account', async () => {
  const row = anExecutionRow({ quantity: '2', price: '100.50' });
  expect(outcomesOf(await record(row))).toEqual([RECORDED]);
  const again = { ...row, quantity: '2.000', price: '100.5', fee: '0', account: 'default' };
  const elsewhere = { ...row, account: 'alice' };
  expect(outcomesOf(await record(again, elsewhere))).toEqual([DUPLICATE, RECORDED]);
});

describe('a poisoned row is refused by name, and the good ones around it are recorded:', () => {
  const now = systemClock.now();
  test.each<[string, string, ExecutionRow]>([
    ['a NUL in the id', 'source_id', { sourceId: 'a\0b' }],
    ['no id', 'source_id', { sourceId: '' }],
    ['an id of 129 bytes', 'source_id', { sourceId: 'x'.repeat(129) }],
    ['a NUL in the instrument', 'instrument', { instrument: 'external:a\0b' }],
    ['no instrument', 'instrument', { instrument: '' }],
    ['an unknown instrument', 'instrument', { instrument: 'NOSUCH' }],
    ['an instrument that reads backwards', 'instrument', { instrument: 'external:a\u202Eb' }],
    ['an account with a space', 'account', { account: 'a b' }],
    ['10^40', 'quantity', { quantity: `1${'0'.repeat(40)}` }],
    ['30 decimals', 'quantity', { quantity: `0.${'1'.repeat(30)}` }],
    ['a quantity of zero', 'quantity', { quantity: '0.000' }],
    ['a quantity that is not a number', 'quantity', { quantity: 'NaN' }],
    ['an exponent', 'price', { price: '1e3' }],
    ['a price of infinity', 'price', { price: 'Infinity' }],
    ['a price below zero', 'price', { price: '-1' }],
    ['a fee in words', 'fee', { fee: 'none' }],
    ['no time', 'executed_time', { executedTime: undefined }],
    ['nanoseconds', 'executed_time', { executedTime: { seconds: 1n, nanos: 1 } }],
    ['the year 0', 'executed_time', { executedTime: { seconds: -62_167_219_200n } }],
    ['the year 9999', 'executed_time', { executedTime: { seconds: 253_402_300_799n } }],
    ['the future', 'executed_time', { executedTime: timestampOf(now + 660_000_000) }],
    ['a control character in what it corrects', 'corrects', { corrects: 'a\nb' }],
  ])('%s', async (_, field, poison) => {
    const results = await record(anExecutionRow(), anExecutionRow(poison), anExecutionRow());
    expect(outcomesOf(results)).toEqual([RECORDED, REFUSED, RECORDED]);
    expect(results[1]).toMatchObject({ field, reason: expect.stringContaining(`${field}: `) });
  });
});

test('every month from 1970 to the future bound is taken', async () => {
  const now = systemClock.now();
  const times = [0, 1, Date.UTC(1999, 11, 31, 23, 59, 59) * 1000, now, now + 590_000_000];
  const rows = times.map((time) => anExecutionRow({ executedTime: timestampOf(time) }));
  expect(outcomesOf(await record(...rows))).toEqual(times.map(() => RECORDED));
});

describe('a batch as such is refused:', () => {
  test.each<[string, object, Code]>([
    ['that is empty', { executions: [] }, Code.InvalidArgument],
    [
      'of 5,001 rows',
      { executions: Array.from({ length: 5_001 }, () => anExecutionRow()) },
      Code.InvalidArgument,
    ],
    [
      'of more than 1 MiB',
      {
        executions: Array.from({ length: 5_000 }, () =>
          anExecutionRow({ corrects: 'x'.repeat(200) }),
        ),
      },
      Code.ResourceExhausted,
    ],
    [
      'that says it is of our orders',
      { source: 'order', executions: [anExecutionRow()] },
      Code.InvalidArgument,
    ],
    [
      'with a source of 33 letters',
      { source: 'x'.repeat(33), executions: [anExecutionRow()] },
      Code.InvalidArgument,
    ],
    [
      'with a source of two words',
      { source: 'a b', executions: [anExecutionRow()] },
      Code.InvalidArgument,
    ],
  ])('%s', async (_, request, code) => {
    expect(await codeOf(served.client.recordExecutions(request))).toBe(code);
  });
});

test('several batches may be under way at once, also with the same rows', async () => {
  const executions = Array.from({ length: 5_000 }, (_, index) =>
    anExecutionRow({ account: 'pipelined', executedTime: secondsAfterNoon(-index) }),
  );
  const halves = [executions.slice(0, 3_000), executions.slice(2_000)];
  const answers = await Promise.all(
    [...halves, executions, ...halves.toReversed()].map((rows) =>
      served.client.recordExecutions({ executions: rows }),
    ),
  );
  const outcomes = answers.flatMap(({ results }) => outcomesOf(results));
  expect(outcomes.filter((outcome) => outcome === RECORDED)).toHaveLength(5_000);
  expect(outcomes.filter((outcome) => outcome === DUPLICATE)).toHaveLength(12_000);
  expect(outcomes).toHaveLength(17_000);
  const request = { account: 'pipelined', instrument: '123' };
  const { position } = await served.client.queryPosition(request);
  expect(position).toMatchObject({ quantity: '5000', executionCount: 5_000n });
});

test('a batch whose client leaves in the middle is repeated without harm', async () => {
  const account = 'leaving';
  const executions = Array.from({ length: 2_000 }, () => anExecutionRow({ account }));
  for (const delayMs of [0, 5, 20, 60]) {
    await served.client
      .recordExecutions({ executions }, { timeoutMs: delayMs + 1 })
      .catch(() => {});
  }
  const outcomes = outcomesOf((await served.client.recordExecutions({ executions })).results);
  expect(outcomes.filter((outcome) => outcome !== RECORDED && outcome !== DUPLICATE)).toEqual([]);
  const { position } = await served.client.queryPosition({ account, instrument: '123' });
  expect(position).toMatchObject({ quantity: '2000', executionCount: 2_000n });
});
