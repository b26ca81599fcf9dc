import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import {
  MarketService,
  StreamTradesResponseSchema,
} from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import type { StreamTradesResponse } from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { Broadcast } from '../../../src/rpc/broadcast/broadcast-stream.ts';
import type { BroadcastOptions } from '../../../src/rpc/broadcast/broadcast-stream.ts';
import type { BroadcastSubscription } from '../../../src/rpc/broadcast/broadcast-subscription.ts';
import type { ListenerOptions } from '../../../src/rpc/listener.ts';
import { SharedFrame } from '../../../src/rpc/broadcast/shared-frame.ts';
import type { FrameRules } from '../../../src/rpc/broadcast/shared-frame.ts';
import { eventually } from '../../support/eventually.ts';
import { openTestListener } from '../../support/test-listener.ts';
import { testTransports } from '../../support/test-transports.ts';
import { TwinClock } from '../../support/twin-clock.ts';

const message = (cursor: string) => create(StreamTradesResponseSchema, { cursor });
const frame = (cursor: string, rules?: FrameRules) =>
  SharedFrame.of(StreamTradesResponseSchema, message(cursor), rules);

type Handler = (
  subscription: BroadcastSubscription,
  context: HandlerContext,
) => AsyncIterable<StreamTradesResponse>;

/** Sends a snapshot of one message, then what is broadcast. */
async function* snapshotThenTail(subscription: BroadcastSubscription) {
  yield message('snapshot');
  yield* subscription.tail();
}

/** A server whose StreamTrades is a broadcast. */
async function openBroadcast(
  options: Partial<BroadcastOptions> & {
    readonly handler?: Handler;
    readonly listener?: Partial<ListenerOptions>;
  } = {},
) {
  const { handler = snapshotThenTail } = options;
  const stack = new AsyncDisposableStack();
  const ended: string[] = [];
  const broadcast = stack.use(
    new Broadcast({ clock: systemClock, heartbeat: () => frame('heartbeat'), ...options }),
  );
  const routes = (router: ConnectRouter) =>
    router.service(MarketService, {
      async *streamTrades(request, context) {
        const [name = ''] = request.instruments;
        using subscription = broadcast.subscribe(context, { onEnd: () => ended.push(name) });
        yield* handler(subscription, context);
      },
    });
  const listener = stack.use(await openTestListener({ ...options.listener, routes }));
  return {
    broadcast,
    listener,
    ended,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const openMarket = (url: string) =>
  createClient(MarketService, createGrpcTransport({ baseUrl: url }));

describe.each(testTransports)('over %s', (_name, open) => {
  test('a snapshot is followed by all that is broadcast, and that by the status', async () => {
    await using server = await openBroadcast();
    const market = createClient(MarketService, open(server.listener.url));
    const cursors: string[] = [];
    const reading = (async () => {
      for await (const { cursor } of market.streamTrades({})) {
        cursors.push(cursor);
        if (cursor === 'snapshot') {
          for (const one of ['1', '2']) server.broadcast.push(frame(one));
        } else if (cursor === '2') {
          for (const one of ['3', '4', '5']) server.broadcast.push(frame(one));
          server.broadcast[Symbol.dispose]();
        }
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: Code.Unavailable });
    expect(cursors).toEqual(['snapshot', '1', '2', '3', '4', '5']);
    expect(server.broadcast.size).toBe(0);
  });

  test('a tail without a snapshot sends its headers itself', async () => {
    await using server = await openBroadcast({ handler: (subscription) => subscription.tail() });
    const market = createClient(MarketService, open(server.listener.url));
    const reading = (async () => {
      for await (const { cursor } of market.streamTrades({})) return cursor;
      return undefined;
    })();
    await eventually(() => server.broadcast.size === 1);
    server.broadcast.push(frame('1'));
    expect(await reading).toBe('1');
  });

  test('a reader that leaves is forgotten', async () => {
    await using server = await openBroadcast();
    const market = createClient(MarketService, open(server.listener.url));
    const leaving = new AbortController();
    const reading = (async () => {
      const trades = market.streamTrades({ instruments: ['me'] }, { signal: leaving.signal });
      for await (const _ of trades) leaving.abort();
    })();
    await expect(reading).rejects.toMatchObject({ code: Code.Canceled });
    await eventually(() => server.broadcast.size === 0);
    expect(server.ended).toEqual(['me']);
  });

  test('a deadline ends the stream', async () => {
    await using server = await openBroadcast();
    const market = createClient(MarketService, open(server.listener.url));
    const reading = (async () => {
      for await (const _ of market.streamTrades({}, { timeoutMs: 100 }));
    })();
    await expect(reading).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    await eventually(() => server.broadcast.size === 0);
  });
});

test('what is pushed while the snapshot is sent comes after it, without loss', async () => {
  await using server = await openBroadcast({
    async *handler(subscription) {
      yield message('snapshot 1');
      subscription.push(frame('update 1'));
      yield message('snapshot 2');
      subscription.push(frame('update 2'));
      yield* subscription.tail();
    },
  });
  const market = openMarket(server.listener.url);
  const cursors: string[] = [];
  for await (const { cursor } of market.streamTrades({})) {
    if (cursors.push(cursor) === 4) break;
  }
  expect(cursors).toEqual(['snapshot 1', 'snapshot 2', 'update 1', 'update 2']);
});

test('a handler’s own messages after the tail are sent, and its trailers', async () => {
  await using server = await openBroadcast({
    async *handler(subscription, context) {
      subscription.push(frame('update'));
      subscription.end();
      yield* subscription.tail();
      yield message('last');
      context.responseTrailer.set('x-cursor', 'last');
    },
  });
  const market = openMarket(server.listener.url);
  const cursors: string[] = [];
  let trailers: Headers | undefined;
  for await (const { cursor } of market.streamTrades(
    {},
    { onTrailer: (all) => (trailers = all) },
  )) {
    cursors.push(cursor);
  }
  expect(cursors).toEqual(['update', 'last']);
  expect(trailers?.get('x-cursor')).toBe('last');
});

test('a message is encoded once, however many read it', async () => {
  await using server = await openBroadcast();
  let encodings = 0;
  const market = openMarket(server.listener.url);
  const readers = Array.from({ length: 20 }, async () => {
    for await (const { cursor } of market.streamTrades({})) if (cursor === 'shared') return;
  });
  await eventually(() => server.broadcast.size === 20);
  server.broadcast.push(
    new SharedFrame((codec) => {
      expect(codec).toBe('binary');
      encodings++;
      // Field 1, the cursor.
      return Buffer.concat([Buffer.of(0x0a, 6), Buffer.from('shared')]);
    }),
  );
  await Promise.all(readers);
  expect(encodings).toBe(1);
});

test('too many readers are refused', async () => {
  await using server = await openBroadcast({ maxSubscriptions: 0 });
  const reading = (async () => {
    for await (const _ of openMarket(server.listener.url).streamTrades({}));
  })();
  await expect(reading).rejects.toMatchObject({ code: Code.ResourceExhausted });
});

test('who falls too far behind is cut off with RESOURCE_EXHAUSTED, alone', async () => {
  await using server = await openBroadcast({ maxPendingBytes: 10_000 });
  const market = openMarket(server.listener.url);
  const iterator = market.streamTrades({ instruments: ['slow'] })[Symbol.asyncIterator]();
  await iterator.next();
  const brisk: string[] = [];
  const briskReading = (async () => {
    for await (const { cursor } of market.streamTrades({ instruments: ['brisk'] })) {
      brisk.push(cursor);
      if (cursor === 'end') return;
    }
  })();
  await eventually(() => brisk.length === 1);
  const large = frame('x'.repeat(5_000));
  await eventually(() => {
    server.broadcast.push(large);
    return server.ended.length > 0;
  });
  expect(server.ended).toEqual(['slow']);
  expect(server.broadcast.overflows).toBe(1);
  server.broadcast.push(frame('end'));
  await briskReading;
  await expect(
    (async () => {
      while ((await iterator.next()).done !== true);
    })(),
  ).rejects.toMatchObject({ code: Code.ResourceExhausted });
});

test('a reader that takes nothing is cut off after the stall timeout', async () => {
  await using server = await openBroadcast({ listener: { limits: { stallTimeoutMs: 200 } } });
  const session = connectHttp2(server.listener.url);
  // Never read: its window of 64 KiB fills up.
  const stream = session.request({
    ':method': 'POST',
    ':path': '/tradewind.market.v1.MarketService/StreamTrades',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const closed = new Promise<number>((resolve) =>
    stream.once('error', () => resolve(stream.rstCode ?? 0)),
  );
  stream.end(Buffer.alloc(5));
  await eventually(() => server.broadcast.size === 1);
  for (let count = 0; count < 20; count++) server.broadcast.push(frame('x'.repeat(10_000)));
  await eventually(() => server.broadcast.size === 0);
  expect(await closed).toBe(11); // ENHANCE_YOUR_CALM
  session.destroy();
});

test('a reader over HTTP/1.1 that takes nothing is cut off after the stall timeout', async () => {
  await using server = await openBroadcast({
    maxPendingBytes: 100_000_000,
    listener: { limits: { stallTimeoutMs: 200 } },
  });
  const socket = connectTcp(server.listener.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.pause();
  socket.write(
    'POST /tradewind.market.v1.MarketService/StreamTrades HTTP/1.1\r\nHost: a\r\n' +
      'Content-Type: application/connect+proto\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0',
  );
  await eventually(() => server.broadcast.size === 1);
  // More than the kernel takes for a reader on the same machine.
  const large = frame('x'.repeat(1_000_000));
  for (let count = 0; count < 30; count++) server.broadcast.push(large);
  await eventually(() => server.broadcast.size === 0);
  expect(server.broadcast.overflows).toBe(0);
  socket.destroy();
});

test('a quiet stream gets a heartbeat within the heartbeat time, a busy one none', async () => {
  const clock = new TwinClock();
  await using server = await openBroadcast({ clock, heartbeatMs: 10_000 });
  const market = openMarket(server.listener.url);
  const cursors: string[] = [];
  const reading = (async () => {
    for await (const { cursor } of market.streamTrades({})) {
      cursors.push(cursor);
      if (cursor === 'end') return;
    }
  })();
  await eventually(() => cursors.length === 1);
  for (let second = 0; second < 20; second++) {
    server.broadcast.push(frame(String(second)));
    await clock.advance(1_000);
  }
  await clock.advance(10_000, 1_000);
  server.broadcast.push(frame('end'));
  await reading;
  const busy = Array.from({ length: 20 }, (_, second) => String(second));
  expect(cursors).toEqual(['snapshot', ...busy, 'heartbeat', 'end']);
});

test('an open candle for a slow reader is replaced by its later ones', async () => {
  await using server = await openBroadcast();
  const market = openMarket(server.listener.url);
  const cursors: string[] = [];
  for await (const { cursor } of market.streamTrades({})) {
    cursors.push(cursor);
    if (cursor === 'end') break;
    if (cursor !== 'snapshot') continue;
    server.broadcast.push(frame('open 1', { conflateKey: 'BTC' }));
    server.broadcast.push(frame('open 2', { conflateKey: 'BTC' }));
    server.broadcast.push(frame('closed', { supersedes: 'BTC' }));
    server.broadcast.push(frame('open 3', { conflateKey: 'BTC' }));
    server.broadcast.push(frame('end'));
  }
  expect(cursors).toEqual(['snapshot', 'closed', 'open 3', 'end']);
});

test('readers that come and go leave nothing behind', async () => {
  await using server = await openBroadcast();
  const market = openMarket(server.listener.url);
  for (let round = 0; round < 10; round++) {
    const leaving = new AbortController();
    const readers = Array.from({ length: 20 }, async () => {
      try {
        for await (const _ of market.streamTrades({}, { signal: leaving.signal }));
      } catch (error) {
        expect(ConnectError.from(error).code).toBe(Code.Canceled);
      }
    });
    await eventually(() => server.broadcast.size === 20);
    server.broadcast.push(frame('x'));
    leaving.abort();
    await Promise.all(readers);
    await eventually(() => server.broadcast.size === 0);
  }
  expect(server.ended).toHaveLength(200);
});
