import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RebuildPositionsResponse } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { anExecutionRow, secondsAfterNoon } from '../../support/an-execution-row.ts';
import { collect } from '../../support/collect.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { openServedPositions } from '../../support/served-positions.ts';
import type { ServedPositions } from '../../support/served-positions.ts';

const count = 25_000;
let served: ServedPositions;
beforeAll(async () => {
  served = await openServedPositions(await createTestDatabase());
  const rows = Array.from({ length: count }, (_, index) =>
    anExecutionRow({ executedTime: secondsAfterNoon(index) }),
  );
  for (let start = 0; start < count; start += 5_000) {
    await served.client.recordExecutions({ executions: rows.slice(start, start + 5_000) });
  }
});
afterAll(() => served[Symbol.asyncDispose]());

const inShort = ({ foldedCount, totalCount, complete }: RebuildPositionsResponse) =>
  `${foldedCount}/${totalCount}${complete ? ' done' : ''}`;

test('a rebuild tells how far it is, and in the end the latest position', async () => {
  const answers = await collect(served.client.rebuildPositions({ instrument: '123' }));
  const counts = answers.map(({ foldedCount }) => Number(foldedCount));
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(answers.map(inShort).at(-1)).toBe(`${count}/${count} done`);
  expect(answers.at(-1)?.position).toMatchObject({ quantity: String(count) });
  expect(answers.slice(0, -1).filter(({ complete, position }) => complete || position)).toEqual([]);
});

test('a rebuild after a time does only what follows it', async () => {
  const after = secondsAfterNoon(count - 1_000);
  const answers = await collect(served.client.rebuildPositions({ instrument: '123', after }));
  const last = answers.at(-1);
  expect(answers.map(inShort).at(-1)).toBe('999/999 done');
  // What is kept comes in pieces, of which the one that the time falls into is made anew whole.
  expect(answers.filter(({ foldedCount }) => foldedCount > 999n)).toEqual([]);
  expect(last?.position?.quantity).toBe(String(count));
});

test.each([
  ['after the last but one', count - 2, '1/1 done'],
  ['after the last', count - 1, '0/0 done'],
])('a rebuild %s is never further than there is to do', async (_, second, end) => {
  const after = secondsAfterNoon(second);
  const answers = await collect(served.client.rebuildPositions({ instrument: '123', after }));
  expect(answers.map(inShort).at(-1)).toBe(end);
  for (const { foldedCount, totalCount } of answers) {
    expect(foldedCount).toBeLessThanOrEqual(totalCount);
  }
});

test('who asks in the middle of rebuilds is answered right', async () => {
  const done = new AbortController();
  const rebuilds = (async () => {
    for (let times = 0; times < 5; times++) {
      await collect(served.client.rebuildPositions({ instrument: '123' }));
    }
  })().finally(() => done.abort());
  let questions = 0;
  for (; !done.signal.aborted; questions++) {
    const second = (questions * 7_919) % count;
    const at = secondsAfterNoon(second);
    const { position } = await served.client.queryPosition({ instrument: '123', at });
    expect([second, position?.quantity]).toEqual([second, String(second + 1)]);
  }
  await rebuilds;
  expect(questions).toBeGreaterThan(0);
});

test('there is nothing to rebuild without executions', async () => {
  const answer = collect(served.client.rebuildPositions({ instrument: '999' }));
  const error = ConnectError.from(await answer.catch((reason: unknown) => reason));
  expect(error.code).toBe(Code.NotFound);
});
