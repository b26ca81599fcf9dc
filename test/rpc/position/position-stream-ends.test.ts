import { Code, ConnectError } from '@connectrpc/connect';
import { beforeEach, expect, test } from 'vitest';
import { anExecutionRow } from '../../support/an-execution-row.ts';
import { at } from '../../support/market-tape.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { followPositions, positionInShort } from '../../support/position-stream.ts';
import { openServedPositions } from '../../support/served-positions.ts';
import type { ServedPositions } from '../../support/served-positions.ts';
import { TwinClock } from '../../support/twin-clock.ts';

let url: string;
beforeEach(async () => {
  url = await createTestDatabase();
});

const codeOf = (error: unknown) => ConnectError.from(error).code;

async function record(
  { client }: ServedPositions,
  instrument: string,
  quantity = '2',
): Promise<void> {
  const executions = [anExecutionRow({ instrument, quantity, price: '90' })];
  await client.recordExecutions({ executions });
}

test('what is held has a mark at most once a second, and only while tickers come', async () => {
  const clock = new TwinClock(at(0));
  await using served = await openServedPositions(url, { clock });
  const { tape } = served;
  tape.opened(0);
  await record(served, 'BTCUSDT');
  await record(served, '123');
  await using stream = followPositions(served.client);
  const snapshot = await stream.snapshot();
  expect(snapshot.map(positionInShort)).toEqual([
    'binance:BTCUSDT 2 (1)',
    'external:123 2 (1)',
    'snapshotEnd',
  ]);
  // Ten tickers within a second, and then none: the heartbeat is the next thing to come.
  for (let ms = 100; ms <= 1_000; ms += 100) {
    clock.moveTo(at(ms));
    tape.ticker(ms);
  }
  await clock.advance(1_000);
  const mark = await stream.next();
  expect(mark.event).toMatchObject({
    case: 'mark',
    value: { instrument: 'binance:BTCUSDT', markPrice: '100', unrealizedProfit: '20' },
  });
  await clock.advance(20_000, 1_000);
  const rest = await stream.until(({ event }) => event.case === 'heartbeat');
  expect(rest.filter(({ event }) => event.case === 'mark').length).toBeLessThanOrEqual(1);
});

test('marks go on for who resumes, of what did not change meanwhile as well', async () => {
  const clock = new TwinClock(at(0));
  await using served = await openServedPositions(url, { clock });
  await using first = followPositions(served.client);
  await first.snapshot();
  await record(served, 'BTCUSDT');
  const { cursor } = await first.next();
  await using again = followPositions(served.client, { resumeAfter: cursor });
  expect((await again.snapshot()).map(positionInShort)).toEqual(['snapshotEnd']);
  served.tape.opened(0).ticker(0);
  await clock.advance(1_000);
  expect(positionInShort(await again.next())).toBe('binance:BTCUSDT at 100');
});

test('a quiet stream has heartbeats with a cursor to go on from', async () => {
  const clock = new TwinClock(at(0));
  await using served = await openServedPositions(url, { clock });
  await using stream = followPositions(served.client, { account: 'quiet' });
  await stream.snapshot();
  await clock.advance(10_000, 1_000);
  const { event, cursor } = await stream.next();
  expect([event.case, cursor]).toEqual(['heartbeat', expect.stringMatching(/^p1\.\d+$/u)]);
});

test('a server that stops ends its streams with UNAVAILABLE, after a cursor to go on from', async () => {
  const served = await openServedPositions(url);
  await using other = await openServedPositions(url);
  await record(served, '1');
  await using stream = followPositions(served.client);
  await stream.snapshot();
  const end = stream.until(() => false).catch((error: unknown) => error);
  await using last = followPositions(served.client);
  await last.snapshot();
  await served[Symbol.asyncDispose]();
  expect(codeOf(await end)).toBe(Code.Unavailable);
  const { event, cursor } = await last.next();
  expect(event.case).toBe('heartbeat');
  await record(other, '1');
  await using again = followPositions(other.client, { resumeAfter: cursor });
  // Before the snapshot's end or behind it: the other server may hear of it a moment later.
  const told = await again.until((element) => element.event.case === 'position');
  expect(told.map(positionInShort).at(-1)).toBe('external:1 4 (2)');
});

test('a reader that is too slow is ended alone', async () => {
  await using served = await openServedPositions(url, { maxReaderBytes: 64 });
  await record(served, '1');
  await using slow = followPositions(served.client);
  await using other = followPositions(served.client, { account: 'other' });
  await slow.snapshot();
  await other.snapshot();
  await record(served, '1');
  const error = await slow.next().catch((reason: unknown) => reason);
  expect(codeOf(error)).toBe(Code.ResourceExhausted);
  expect(served.parts.stream.statistics).toEqual({ readers: 1, overflows: 1 });
});

test('one reader more than there may be is refused', async () => {
  await using served = await openServedPositions(url, { maxReaders: 1 });
  await using first = followPositions(served.client);
  await first.snapshot();
  await using second = followPositions(served.client);
  // Before anything of its snapshot is read and sent.
  const error = await second.next().catch((reason: unknown) => reason);
  expect(codeOf(error)).toBe(Code.ResourceExhausted);
});
