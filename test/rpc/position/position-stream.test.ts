import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createHandlerContext } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  PositionService,
  StreamPositionsRequestSchema,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { anExecutionRow } from '../../support/an-execution-row.ts';
import type { ExecutionRow } from '../../support/an-execution-row.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { followPositions, positionInShort } from '../../support/position-stream.ts';
import { openServedPositions } from '../../support/served-positions.ts';
import type { ServedPositions } from '../../support/served-positions.ts';

let url: string;
let served: ServedPositions;
let other: ServedPositions;
beforeAll(async () => {
  url = await createTestDatabase();
  served = await openServedPositions(url);
  other = await openServedPositions(url);
});
afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await served[Symbol.asyncDispose]();
});

async function record(account: string, ...rows: readonly ExecutionRow[]): Promise<void> {
  const executions = rows.map((row) => ({ account, ...row }));
  const { results } = await served.client.recordExecutions({ executions });
  expect(results.filter(({ reason }) => reason !== '')).toEqual([]);
}

const buy = (instrument: string, quantity = '1') => anExecutionRow({ instrument, quantity });

test('a stream begins with what is there, then tells every change, on either server', async () => {
  await record('begin', buy('1'), buy('2'));
  for (const { client } of [served, other]) {
    await using stream = followPositions(client, { account: 'begin' });
    expect((await stream.snapshot()).map(positionInShort)).toEqual([
      expect.stringMatching(/^external:1 /u),
      expect.stringMatching(/^external:2 /u),
      'snapshotEnd',
    ]);
    await record('elsewhere', buy('1'));
    await record('begin', buy('1'));
    expect(positionInShort(await stream.next())).toMatch(/^external:1 /u);
  }
});

test('only what is asked for is told: an account, and perhaps some instruments', async () => {
  await record('some', buy('1'), buy('2'), buy('3'));
  const wanted = { account: 'some', instruments: ['3', '1', '4'] };
  await using stream = followPositions(served.client, wanted);
  expect((await stream.snapshot()).map(positionInShort)).toEqual([
    'external:1 1 (1)',
    'external:3 1 (1)',
    'snapshotEnd',
  ]);
  await record('some', buy('2'), buy('4', '7'));
  expect(positionInShort(await stream.next())).toBe('external:4 7 (1)');
});

test('an execution changes what is told by exactly itself', async () => {
  await record('exact', anExecutionRow({ quantity: '2.5', price: '10', fee: '0.1' }));
  await using stream = followPositions(served.client, { account: 'exact' });
  await stream.snapshot();
  const ask = { account: 'exact', instrument: '123' };
  const { position: before } = await served.client.queryPosition(ask);
  await record('exact', anExecutionRow({ quantity: '-0.5', price: '12', fee: '0.2' }));
  const { event } = await stream.next();
  const { position: after } = await served.client.queryPosition(ask);
  expect(before).toMatchObject({ quantity: '2.5', cost: '25', realizedProfit: '0', fees: '0.1' });
  expect(after).toMatchObject({ quantity: '2', cost: '20', realizedProfit: '1', fees: '0.3' });
  expect(event).toEqual({ case: 'position', value: after });
});

test('who comes back after any message misses nothing, on the other server', async () => {
  const instruments = Array.from({ length: 8 }, (_, index) => String(index + 1));
  await record('resumed', ...instruments.map((instrument) => buy(instrument)));
  await using stream = followPositions(served.client, { account: 'resumed' });
  const [end] = (await stream.snapshot()).slice(-1);
  // One batch changes all of them at once, in one step of the log each.
  await record('resumed', ...instruments.map((instrument) => buy(instrument, '2')));
  const told = [];
  for (let count = 0; count < instruments.length; count++) told.push(await stream.next());
  const places = [end, ...told].map((element) => element?.cursor ?? '');
  expect(new Set(places).size).toBe(instruments.length + 1);
  const changed = instruments.map((instrument) => `external:${instrument} 3 (2)`);
  for (const [count, resumeAfter] of places.entries()) {
    await using again = followPositions(other.client, { account: 'resumed', resumeAfter });
    const missed = (await again.snapshot()).map(positionInShort);
    expect([...told.slice(0, count).map(positionInShort), ...missed].toSorted()).toEqual(
      [...changed, 'snapshotEnd'].toSorted(),
    );
  }
});

test('nothing is lost between a snapshot, or what was missed, and what follows', async () => {
  const account = 'busy';
  await record(account, buy('1'));
  await using first = followPositions(served.client, { account });
  const [end] = (await first.snapshot()).slice(-1);
  const total = 120;
  const recorded = (async () => {
    for (let count = 1; count < total; count++) await record(account, buy('1'));
  })();
  const last = `external:1 ${total} (${total})`;
  const readers = Array.from({ length: 20 }, async (_, index) => {
    const { client } = index % 2 === 0 ? served : other;
    const resumeAfter = index % 4 < 2 ? '' : (end?.cursor ?? '');
    await using stream = followPositions(client, { account, resumeAfter });
    const told = await stream.until((element) => positionInShort(element) === last);
    const counts = told.flatMap(({ event }) =>
      event.case === 'position' ? [Number(event.value.executionCount)] : [],
    );
    // Each is newer than the one before.
    expect(counts).toEqual([...new Set(counts)].toSorted((a, b) => a - b));
  });
  await Promise.all([recorded, ...readers]);
});

test.each(['', 'p1.0'])(
  'what changes while the end of the snapshot is on its way is told (resumed after %j)',
  async (resumeAfter) => {
    const { parts } = served;
    const account = `on-its-way-${resumeAfter.length}`;
    const request = create(StreamPositionsRequestSchema, { account, resumeAfter });
    const method = PositionService.method.streamPositions;
    const context = createHandlerContext({
      service: PositionService,
      method,
      protocolName: 'grpc',
      requestMethod: 'POST',
      url: served.url,
    });
    // Asked for step by step, as a reader over a slow line would.
    const elements = parts.stream.stream(request, context);
    const next = async () => (await elements.next()).value;
    expect((await next())?.event.case).toBe('snapshotEnd');
    await using onlooker = followPositions(served.client, { account });
    await onlooker.snapshot();
    await record(account, buy('1'));
    await onlooker.next();
    const told = await next();
    expect(told && positionInShort(told)).toBe('external:1 1 (1)');
    await elements.return(undefined);
  },
);

test('who is cut off in a snapshot has no cursor, and begins anew', async () => {
  await record('cut', buy('1'), buy('2'));
  await using stream = followPositions(served.client, { account: 'cut' });
  const elements = await stream.snapshot();
  expect(elements.map(({ cursor }) => cursor)).toEqual([
    '',
    '',
    expect.stringMatching(/^p1\.\d+$/u),
  ]);
});

test.each<[string, { account?: string; instruments?: string[]; resumeAfter?: string }, Code]>([
  ['an account with a space', { account: 'a b' }, Code.InvalidArgument],
  ['an unknown symbol', { instruments: ['NOSUCH'] }, Code.NotFound],
  ['a cursor of orders', { resumeAfter: 'o1.5' }, Code.InvalidArgument],
  [
    'a cursor beyond what a number holds',
    { resumeAfter: `p1.${'9'.repeat(16)}` },
    Code.InvalidArgument,
  ],
  ['a cursor beyond the end of the log', { resumeAfter: 'p1.999999999' }, Code.OutOfRange],
  ['more instruments than 1,024', { instruments: Array(1_025).fill('1') }, Code.InvalidArgument],
])('a stream of %s is refused', async (_, request, code) => {
  await using stream = followPositions(served.client, request);
  const error = await stream.next().catch((reason: unknown) => reason);
  expect(ConnectError.from(error).code).toBe(code);
});
