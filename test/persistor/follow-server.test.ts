import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, createRouterTransport } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import type { StreamCandlesRequest } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import {
  MarketService,
  StreamCandlesResponseSchema,
} from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { followServer } from '../../src/persistor/follow-server.ts';
import { CursorTooOldError } from '../../src/persistor/stream-batch.ts';
import type { StreamBatch } from '../../src/persistor/stream-batch.ts';
import { candleToMessage, gapToMessage } from '../../src/rpc/messages.ts';
import { aGap } from '../support/a-candle.ts';
import { eventually } from '../support/eventually.ts';
import { streamedCandle } from '../support/twin-candle-stream.ts';
import { TwinClock } from '../support/twin-clock.ts';

type Response = MessageInitShape<typeof StreamCandlesResponseSchema>;

/** A server that answers each request with the same responses, and then fails or says nothing more. */
function follow(responses: readonly Response[], end: ConnectError | 'silence') {
  const requests: StreamCandlesRequest[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(MarketService, {
      async *streamCandles(request, { signal }) {
        requests.push(request);
        for (const response of responses) yield create(StreamCandlesResponseSchema, response);
        if (end instanceof ConnectError) throw end;
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        });
      },
    });
  });
  const clock = new TwinClock();
  const market = createClient(MarketService, transport);
  return { follow: followServer(market, clock, silentLogger), clock, requests };
}

async function readAll(batches: AsyncIterable<StreamBatch>) {
  const all: StreamBatch[] = [];
  try {
    for await (const batch of batches) all.push(batch);
    return { all, error: undefined };
  } catch (error) {
    return { all, error };
  }
}

const signal = new AbortController().signal;
const unavailable = new ConnectError('stopping', Code.Unavailable);
const candle = (n: number, cursor: string): Response => ({
  cursor,
  event: { case: 'candle', value: candleToMessage(streamedCandle(n)) },
});
const snapshotEnd = (cursor: string): Response => ({
  cursor,
  event: { case: 'snapshotEnd', value: {} },
});

test('asks for all timeframes of all instruments: first what is retained, later what came after', async () => {
  const { follow: followTwin, requests } = follow([], unavailable);
  await readAll(followTwin(undefined, signal));
  await readAll(followTwin('c1.1.2.3', signal));
  expect(requests).toMatchObject([
    { resumeAfter: '', includeRetained: true, includeOpen: false },
    { resumeAfter: 'c1.1.2.3', includeRetained: false, includeOpen: false },
  ]);
  expect(requests[0]?.selections).toHaveLength(16);
  expect(requests[0]?.selections.every(({ instrument }) => instrument === '')).toBe(true);
});

test('a place can be resumed at only when the snapshot is complete', async () => {
  const { follow: followTwin } = follow(
    [
      candle(1, 'c1.1.1.1'),
      snapshotEnd('c1.1.2.1'),
      candle(2, 'c1.1.3.1'),
      { cursor: 'c1.1.4.1', event: { case: 'gap', value: gapToMessage(aGap()) } },
      { cursor: 'c1.1.5.1', event: { case: 'heartbeat', value: {} } },
    ],
    unavailable,
  );
  const { all, error } = await readAll(followTwin(undefined, signal));
  expect(all).toEqual([
    { candles: [streamedCandle(1)], gaps: [], cursor: undefined },
    { candles: [], gaps: [], cursor: 'c1.1.2.1' },
    { candles: [streamedCandle(2)], gaps: [], cursor: 'c1.1.3.1' },
    { candles: [], gaps: [aGap()], cursor: 'c1.1.4.1' },
    { candles: [], gaps: [], cursor: 'c1.1.5.1' },
  ]);
  expect(error).toMatchObject({ code: Code.Unavailable });
});

test('a message that cannot be read is left out, the rest comes', async () => {
  const bad = candleToMessage(streamedCandle(1));
  bad.open = 'much';
  const { follow: followTwin } = follow(
    [
      snapshotEnd('c1.1.1.1'),
      { cursor: 'c1.1.2.1', event: { case: 'candle', value: bad } },
      candle(2, 'c1.1.3.1'),
    ],
    unavailable,
  );
  const { all } = await readAll(followTwin('c1.1.0.0', signal));
  expect(all.flatMap(({ candles }) => candles)).toEqual([streamedCandle(2)]);
  expect(all.at(-1)?.cursor).toBe('c1.1.3.1');
});

test.each([
  [Code.OutOfRange, 'c1.1.1.1', true],
  [Code.InvalidArgument, 'not a cursor', true],
  [Code.OutOfRange, undefined, false],
  [Code.Unavailable, 'c1.1.1.1', false],
  [Code.ResourceExhausted, 'c1.1.1.1', false],
])('an answer of code %d after %s means a cursor too old: %s', async (code, cursor, isTooOld) => {
  const { follow: followTwin } = follow([], new ConnectError('no', code));
  const { error } = await readAll(followTwin(cursor, signal));
  expect(error instanceof CursorTooOldError).toBe(isTooOld);
});

test('a server that says nothing for three heartbeats is given up', async () => {
  const { follow: followTwin, clock, requests } = follow([snapshotEnd('c1.1.1.1')], 'silence');
  const result = readAll(followTwin(undefined, signal));
  let ended: Awaited<typeof result> | undefined;
  void result.then((value) => (ended = value));
  await eventually(() => requests.length === 1);
  await clock.advance(44_000, 1_000);
  expect(ended).toBeUndefined();
  await clock.advance(5_000, 100);
  await eventually(() => ended !== undefined);
  expect(ended?.error).toMatchObject({ message: expect.stringContaining('silent') });
});

test('ends at once when it is not wanted any more', async () => {
  const { follow: followTwin } = follow([snapshotEnd('c1.1.1.1')], 'silence');
  const stopping = new AbortController();
  const result = readAll(followTwin(undefined, stopping.signal));
  stopping.abort();
  expect((await result).error).toBeDefined();
});
