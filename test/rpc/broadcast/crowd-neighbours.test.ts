import { connect } from 'node:http2';
import type { ClientHttp2Stream } from 'node:http2';
import { create } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import {
  MarketService,
  StreamTradesResponseSchema,
} from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { Broadcast } from '../../../src/rpc/broadcast/broadcast-stream.ts';
import { SharedFrame } from '../../../src/rpc/broadcast/shared-frame.ts';
import type { FrameRules } from '../../../src/rpc/broadcast/shared-frame.ts';
import { eventually } from '../../support/eventually.ts';
import { openStallingProxy } from '../../support/stalling-proxy.ts';
import { openTestListener } from '../../support/test-listener.ts';

const filler = 'x'.repeat(1_000);
const message = (cursor: string) => create(StreamTradesResponseSchema, { cursor });
const frame = (cursor: string, rules?: FrameRules) =>
  SharedFrame.of(StreamTradesResponseSchema, message(cursor), rules);

async function openServer() {
  const stack = new AsyncDisposableStack();
  const broadcast = stack.use(
    new Broadcast({ clock: systemClock, heartbeat: undefined, maxPendingBytes: 100_000 }),
  );
  const listener = stack.use(
    await openTestListener({
      routes: (router) =>
        router.service(MarketService, {
          async *streamTrades(_request, context) {
            using subscription = broadcast.subscribe(context);
            yield message('snapshot');
            yield* subscription.tail();
          },
        }),
    }),
  );
  return { broadcast, listener, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** A reader that only takes what it is told to. */
function openReluctantReader(url: string) {
  const session = connect(url);
  session.on('error', () => {});
  const stream = session.request({
    ':method': 'POST',
    ':path': '/tradewind.market.v1.MarketService/StreamTrades',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  stream.end(Buffer.alloc(5));
  return { stream, [Symbol.dispose]: () => session.destroy() };
}

test.each([
  ['stalled', () => {}],
  ['trickling', (stream: ClientHttp2Stream) => void stream.read(100)],
] as const)('beside a %s reader the others get everything', async (_name, take) => {
  await using server = await openServer();
  using slow = openReluctantReader(server.listener.url);
  await eventually(() => server.broadcast.size === 1);
  await expectUnharmed(server, () => take(slow.stream));
  expect(server.broadcast.overflows).toBe(1);
});

test('beside a reader that has vanished without a word the others get everything', async () => {
  await using server = await openServer();
  await using proxy = await openStallingProxy(server.listener.port);
  using vanished = openReluctantReader(`http://127.0.0.1:${proxy.port}`);
  vanished.stream.resume();
  await eventually(() => server.broadcast.size === 1);
  proxy.stall();
  await expectUnharmed(server, () => {});
  expect(server.broadcast.overflows).toBe(1);
});

test('a trickling reader of what may be replaced stays, and gets the newest in the end', async () => {
  await using server = await openServer();
  using slow = openReluctantReader(server.listener.url);
  await eventually(() => server.broadcast.size === 1);
  const newest = `1999 ${filler}`;
  for (let index = 0; index < 2_000; index++) {
    server.broadcast.push(frame(`${index} ${filler}`, { conflateKey: 'binance:BTCUSDT' }));
    slow.stream.read(100);
    if (index % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(server.broadcast.overflows).toBe(0);
  let got = '';
  slow.stream.on('data', (bytes: Buffer) => (got = (got + bytes.toString('latin1')).slice(-5_000)));
  await eventually(() => got.endsWith(newest));
});

/** Pushes three megabytes, piece by piece as a brisk reader takes them. */
async function expectUnharmed(
  { broadcast, listener }: Awaited<ReturnType<typeof openServer>>,
  afterEach: () => void,
): Promise<void> {
  const market = createClient(MarketService, createGrpcTransport({ baseUrl: listener.url }));
  const sent: string[] = [];
  const got: string[] = [];
  const push = () => {
    for (let count = 0; count < 30; count++) {
      sent.push(`${sent.length} ${filler}`);
      broadcast.push(frame(sent.at(-1) ?? ''));
    }
  };
  for await (const { cursor } of market.streamTrades({})) {
    if (cursor !== 'snapshot') got.push(cursor);
    if (got.length === 3_000) break;
    if (got.length === sent.length) push();
    afterEach();
  }
  expect(got).toEqual(sent);
}
