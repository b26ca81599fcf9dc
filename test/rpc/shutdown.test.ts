import { connect as connectHttp2 } from 'node:http2';
import { Code, createClient } from '@connectrpc/connect';
import type { ConnectRouter } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import { Health, HealthCheckResponse_ServingStatus } from '../../gen/grpc/health/v1/health_pb.ts';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import { eventually } from '../support/eventually.ts';
import { preface, RawConnection, settingsFrame } from '../support/raw-http2.ts';
import { openTestListener } from '../support/test-listener.ts';

/** Streams that end when they are told to, and ones that do not listen. */
function endlessRoutes(router: ConnectRouter): void {
  router.service(MarketService, {
    async *streamTrades(_request, { signal }) {
      yield { cursor: 'first' };
      await new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    },
    async *streamBookTickers() {
      yield { cursor: 'first' };
      await new Promise(() => {});
    },
  });
}

test('health, readiness and streams learn that the server stops, in this order', async () => {
  const listener = await openTestListener({ routes: endlessRoutes });
  const transport = createGrpcTransport({ baseUrl: listener.url });
  const health = createClient(Health, transport);
  const serving = HealthCheckResponse_ServingStatus;
  expect((await health.check({})).status).toBe(serving.SERVING);
  expect((await fetch(`${listener.url}/readyz`)).status).toBe(200);

  listener.stopServing();
  expect((await health.check({})).status).toBe(serving.NOT_SERVING);
  const ready = await fetch(`${listener.url}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([503, 'The server is stopping\n']);
  expect((await fetch(`${listener.url}/healthz`)).status).toBe(200);

  const trades = createClient(MarketService, transport).streamTrades({})[Symbol.asyncIterator]();
  expect((await trades.next()).value).toMatchObject({ cursor: 'first' });
  const ended = expect(trades.next()).rejects.toMatchObject({
    code: Code.Unavailable,
    rawMessage: 'The server is stopping; connect again',
  });
  await listener.shutdown(60_000);
  await ended;
  await expect(fetch(`${listener.url}/healthz`)).rejects.toThrow('fetch failed');
});

test.each([
  ['gRPC', (baseUrl: string) => createGrpcTransport({ baseUrl })],
  [
    'Connect over HTTP/1.1',
    (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: '1.1' }),
  ],
])('a stream over %s that does not end is cut off after the grace', async (_name, open) => {
  const listener = await openTestListener({ routes: endlessRoutes });
  const market = createClient(MarketService, open(listener.url));
  const tickers = market.streamBookTickers({})[Symbol.asyncIterator]();
  await tickers.next();
  const ended = expect(tickers.next()).rejects.toBeDefined();
  await listener.shutdown(50);
  await ended;
});

test('an RPC at hand is answered before the server stops', async () => {
  const { promise: told, resolve: tell } = Promise.withResolvers<void>();
  const { promise: began, resolve: begin } = Promise.withResolvers<void>();
  const listener = await openTestListener({
    routes: (router) =>
      router.service(SystemService, {
        async getServerInfo() {
          begin();
          await told;
          return { version: 'late' };
        },
      }),
  });
  const transport = createGrpcTransport({ baseUrl: listener.url });
  const answer = createClient(SystemService, transport).getServerInfo({});
  await began;
  const stopped = listener.shutdown(60_000);
  tell();
  expect((await answer).version).toBe('late');
  await stopped;
});

test('connections that say nothing do not keep the server', async () => {
  const listener = await openTestListener();
  using silent = new RawConnection(listener.port);
  using idle = new RawConnection(listener.port);
  idle.write(Buffer.concat([preface, settingsFrame]));
  using kept = new RawConnection(listener.port);
  kept.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually(() => idle.received.length > 0 && kept.received.length > 0);
  await listener.shutdown(60_000);
  await Promise.all([silent.closed, idle.closed, kept.closed]);
});

test('a client that ignores GOAWAY is cut off after the grace', async () => {
  const listener = await openTestListener({ routes: endlessRoutes });
  const session = connectHttp2(listener.url);
  session.on('error', () => {});
  const stream = session.request({
    ':method': 'POST',
    ':path': '/tradewind.market.v1.MarketService/StreamBookTickers',
    'content-type': 'application/grpc',
  });
  stream.on('error', () => {});
  stream.end(Buffer.alloc(5));
  await new Promise((resolve) => stream.once('response', resolve));
  const closed = new Promise((resolve) => session.once('close', resolve));
  await listener.shutdown(50);
  await closed;
});

test('a second shutdown waits for the first and changes nothing', async () => {
  const listener = await openTestListener();
  await Promise.all([listener.shutdown(1_000), listener.shutdown(0)]);
  await listener.shutdown(0);
  await listener[Symbol.asyncDispose]();
  listener.stopServing();
});

test('a port that is taken is an error that names it', async () => {
  await using listener = await openTestListener();
  await expect(openTestListener({ port: listener.port })).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringContaining(`PORT=${listener.port}: another program listens there`),
  });
});
