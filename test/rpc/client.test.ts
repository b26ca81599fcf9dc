import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import { openServerClient, readStream } from '../../src/rpc/client.ts';
import { parseServerAddress } from '../../src/rpc/client/server-address.ts';
import { collect } from '../support/collect.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { openTestListener } from '../support/test-listener.ts';

describe('a server’s address', () => {
  test.each([
    ['127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['localhost:8080', 'http://localhost:8080'],
    ['[::1]:8080', 'http://[::1]:8080'],
    ['tradewind.default.svc:80', 'http://tradewind.default.svc'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080'],
    ['https://example.com', 'https://example.com'],
    ['HTTPS://Example.com:8443', 'https://example.com:8443'],
  ])('%s means %s', (text, url) => {
    expect(parseServerAddress(text)).toBe(url);
  });

  test.each([
    ['', 'not a host and port'],
    ['localhost', 'no port'],
    ['8080', 'no port'],
    [':8080', 'not a host and port'],
    ['localhost:', 'no port'],
    ['localhost:http', 'not a host and port'],
    ['localhost:99999', 'not a host and port'],
    ['::1:8080', 'not a host and port'],
    ['ws://localhost:8080', 'scheme is ws://'],
    ['unix:///tmp/socket', 'scheme is unix://'],
    ['http://localhost:8080/api', 'a path'],
    ['http://localhost:8080/?x', 'a path'],
    ['http://user:password@localhost:8080', 'a user name'],
    ['host name:80', 'not a host and port'],
  ])('%j is refused: %s', (text, why) => {
    expect(() => parseServerAddress(text)).toThrow(RangeError);
    expect(() => parseServerAddress(text)).toThrow(why);
  });
});

test.each(['cleartext', 'TLS'])('the client asks a %s server', async (kind) => {
  const tls = kind === 'TLS' ? testCertificate : undefined;
  await using listener = await openTestListener({ tls });
  using client = openServerClient(listener.url, {
    clock: systemClock,
    ...(tls === undefined ? {} : { ca: tls.ca }),
  });
  expect((await client.system.getServerInfo({})).version).toBe('1.2.3');
  expect(await collect(client.market.streamTrades({ instruments: ['a:B'] }))).toHaveLength(1);
});

test('nobody listening is UNAVAILABLE, and once somebody does the next RPC is answered', async () => {
  const first = await openTestListener();
  const { port } = first;
  await first[Symbol.asyncDispose]();
  using client = openServerClient(`127.0.0.1:${port}`, { clock: systemClock });
  await expect(client.system.getServerInfo({})).rejects.toMatchObject({ code: Code.Unavailable });
  await using _second = await openTestListener({ port });
  expect((await client.system.getServerInfo({})).version).toBe('1.2.3');
});

test('a server that accepts and says nothing is UNAVAILABLE when its PING is not answered', async () => {
  const server = createServer((socket) => void socket.on('error', () => {}).resume());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  using client = openServerClient(`127.0.0.1:${port}`, {
    clock: systemClock,
    pingIntervalMs: 50,
    pingTimeoutMs: 50,
  });
  await expect(client.system.getServerInfo({})).rejects.toMatchObject({ code: Code.Unavailable });
  server.close();
});

test('a TLS handshake that does not come is UNAVAILABLE after the connect timeout', async () => {
  const server = createServer((socket) => void socket.on('error', () => {}).resume());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  using client = openServerClient(`https://127.0.0.1:${port}`, {
    clock: systemClock,
    connectTimeoutMs: 50,
  });
  await expect(client.system.getServerInfo({})).rejects.toMatchObject({
    code: Code.Unavailable,
    rawMessage: expect.stringContaining('did not answer within 50 ms'),
  });
  server.close();
});

test('a connection that breaks in the middle of a stream is UNAVAILABLE', async () => {
  const listener = await openTestListener({
    routes: (router) =>
      router.service(MarketService, {
        async *streamTrades() {
          yield { cursor: 'first' };
          await new Promise(() => {});
        },
      }),
  });
  using client = openServerClient(listener.url, { clock: systemClock });
  const reading = (async () => {
    for await (const _ of client.market.streamTrades({})) void listener.shutdown(0);
  })();
  await expect(reading).rejects.toMatchObject({ code: Code.Unavailable });
});

test('leaving the loop over a stream ends its RPC', async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  await using listener = await openTestListener({
    routes: (router) =>
      router.service(MarketService, {
        async *streamTrades(_request, { signal }) {
          signal.addEventListener('abort', () => end());
          yield { cursor: 'first' };
          await new Promise(() => {});
        },
      }),
  });
  using client = openServerClient(listener.url, { clock: systemClock });
  const trades = readStream((signal) => client.market.streamTrades({}, { signal }));
  for await (const _ of trades) break;
  await ended;
});

test('a stream that is read is ended by the reader’s signal', async () => {
  await using listener = await openTestListener();
  using client = openServerClient(listener.url, { clock: systemClock });
  const leaving = new AbortController();
  leaving.abort();
  const trades = readStream((signal) => client.market.streamTrades({}, { signal }), leaving.signal);
  await expect(collect(trades)).rejects.toMatchObject({ code: Code.Canceled });
});
