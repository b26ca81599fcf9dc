import { ViolationsSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RecordOutcome } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { timestampOf } from '../../../src/rpc/messages.ts';
import { anExecution } from '../../support/an-execution.ts';
import { anExecutionRow } from '../../support/an-execution-row.ts';
import { noon } from '../../support/builders.ts';
import { openTestDatabase } from '../../support/postgres.ts';
import { recordFill } from '../../support/record-fill.ts';
import { openServedPositions } from '../../support/served-positions.ts';
import type { ServedPositions } from '../../support/served-positions.ts';

let database: Awaited<ReturnType<typeof openTestDatabase>>;
let served: ServedPositions;
beforeAll(async () => {
  database = await openTestDatabase();
  served = await openServedPositions(database.url);
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const until = timestampOf(noon);
const record = async (account: string, ...rows: readonly ReturnType<typeof anExecutionRow>[]) => {
  const executions = rows.map((row) => ({ account, ...row }));
  return (await served.client.recordExecutions({ executions })).results;
};
const freeze = async (scope: { account?: string; instrument?: string }) => {
  const answer = await served.client.freezePositions({ ...scope, until });
  if (answer.freeze === undefined) throw new Error('Expected the freeze');
  return answer.freeze;
};

test('what is frozen accepts nothing more, and the refusal names the freeze', async () => {
  const before = anExecutionRow();
  await record('closed', before);
  const { freezeId } = await freeze({ account: 'closed', instrument: '123' });
  const results = await record(
    'closed',
    anExecutionRow(),
    anExecutionRow({ executedTime: timestampOf(noon + 1) }),
    anExecutionRow({ instrument: '233' }),
    // A retry of what was recorded before, and another one under its id.
    before,
    { ...before, price: '7' },
  );
  const { RECORDED, DUPLICATE, CONFLICT, REFUSED } = RecordOutcome;
  expect(results.map(({ outcome }) => outcome)).toEqual([
    REFUSED,
    RECORDED,
    RECORDED,
    DUPLICATE,
    CONFLICT,
  ]);
  expect(results[0]).toMatchObject({
    field: 'executed_time',
    code: Code.FailedPrecondition,
    freezeId,
    reason: `executed_time: frozen up to and with 2026-01-01T12:00:00Z by the freeze ${freezeId}`,
  });
  const { position } = await served.client.queryPosition({ account: 'closed', instrument: '123' });
  expect(position?.executionCount).toBe(2n);
});

test('a fill of ours never sticks: it is booked right after the freeze, and names its true time', async () => {
  await freeze({ account: 'filled', instrument: '123' });
  const fill = anExecution({ account: 'filled', executedTime: noon - 5 });
  await recordFill(database, fill);
  const { executions } = await served.client.listExecutions({
    account: 'filled',
    instrument: '123',
  });
  expect(executions).toMatchObject([
    {
      source: 'order',
      sourceId: fill.sourceId,
      executedTime: timestampOf(noon + 1),
      decidedTime: timestampOf(noon - 5),
    },
  ]);
});

test('freezes are listed, the latest moment first, those that concern what is asked for', async () => {
  const [alice, gold] = ['listed', 'kraken:GOLD'];
  const earlier = timestampOf(noon - 86_400_000_000);
  const [first, second, third] = await Promise.all([
    served.client.freezePositions({ account: alice, until: earlier }),
    served.client.freezePositions({ instrument: gold, until: timestampOf(noon - 1) }),
    served.client.freezePositions({ account: alice, instrument: gold, until }),
  ]);
  const ids = async (request: object) =>
    (await served.client.listFreezes(request)).freezes.map(({ freezeId }) => freezeId);
  const [idOfFirst, idOfSecond, idOfThird] = [first, second, third].map(
    (answer) => answer.freeze?.freezeId,
  );
  expect(await ids({ account: alice, instrument: gold })).toEqual([
    idOfThird,
    idOfSecond,
    idOfFirst,
  ]);
  expect(await ids({ account: alice, instrument: 'kraken:TIN' })).toEqual([idOfFirst]);
  expect(await ids({ account: 'bob', instrument: gold })).toEqual([idOfSecond]);
  const { freezes } = await served.client.listFreezes({ account: alice, instrument: gold });
  expect(freezes[0]).toMatchObject({ account: alice, instrument: gold, until });
});

describe('a freeze is refused', () => {
  test.each<[string, string, () => object]>([
    ['without a time', 'until', () => ({})],
    ['of the last minute', 'until', () => ({ until: timestampOf(systemClock.now() - 50_000_000) })],
    ['of the future', 'until', () => ({ until: timestampOf(systemClock.now() + 60_000_000) })],
    ['of a nanosecond', 'until', () => ({ until: { seconds: 1n, nanos: 1 } })],
    ['of an account with a space', 'account', () => ({ account: 'a b', until })],
    ['of an instrument with a NUL', 'instrument', () => ({ instrument: 'external:\0', until })],
  ])('%s', async (_, field, request) => {
    const answer = served.client.freezePositions(request()).catch((error: unknown) => error);
    const error = ConnectError.from(await answer);
    expect(error.code).toBe(Code.InvalidArgument);
    const [violations] = error.findDetails(ViolationsSchema);
    const [named] = violations?.violations[0]?.field?.elements ?? [];
    expect(named?.fieldName).toBe(field);
  });
});

test('there are at most 10,000 freezes', async () => {
  await using own = await openTestDatabase();
  await own.run(
    (sql) => sql`
      insert into position_freeze (account, until)
      select 'crowded', 'epoch' from generate_series(1, 9999)`,
  );
  await using other = await openServedPositions(own.url);
  await other.client.freezePositions({ until });
  const answer = other.client.freezePositions({ until }).catch((error: unknown) => error);
  expect(ConnectError.from(await answer).code).toBe(Code.ResourceExhausted);
  expect((await other.client.listFreezes({})).freezes).toHaveLength(10_000);
});
