import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { Code, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import type { Listener } from '../../src/rpc/listener.ts';
import { frame, pingFrame, preface, RawConnection, settingsFrame } from '../support/raw-http2.ts';
import { eventually } from '../support/eventually.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { openTestListener } from '../support/test-listener.ts';

const rpcPath = '/tradewind.system.v1.SystemService/GetServerInfo';

async function expectAlive({ url }: Listener): Promise<void> {
  const transport = createGrpcTransport({ baseUrl: url });
  const info = await createClient(SystemService, transport).getServerInfo({});
  expect(info.version).toBe('1.2.3');
}

describe('a malformed host is answered with 400', () => {
  const hosts = [
    '[',
    ']',
    '[::1',
    'a:99999',
    'a:-1',
    'a:b',
    'foo|bar',
    'foo bar',
    'a b:80',
    'http://a',
    'a/b',
    'a?b',
    'a#b',
    'user@host',
    'user:pass@host:80',
    '%',
    '%zz',
    'a^b',
    'a<b>',
    '\\',
    ':80',
    '@',
    '1.2.3.4.5',
    '256.256.256.256',
    `${'a'.repeat(300)}.example`,
  ];

  test.each(hosts)('Host: %s over HTTP/1.1', async (host) => {
    await using listener = await openTestListener();
    using client = new RawConnection(listener.port);
    client.write(`POST ${rpcPath} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
    await eventually(() => client.received.includes('\r\n\r\n'));
    expect(client.received.toString()).toMatch(/^HTTP\/1\.1 400 /u);
    await expectAlive(listener);
  });

  test.each(hosts)(':authority: %s over HTTP/2', async (authority) => {
    await using listener = await openTestListener();
    using session = openSession(listener);
    const status = await request(session, { ':path': rpcPath, ':authority': authority });
    // nghttp2 resets the stream of an authority that has characters that no authority has.
    expect(['400', 'reset']).toContain(status);
    await expectAlive(listener);
  });

  test.each([
    ['HTTP/1.0 without Host', `POST ${rpcPath} HTTP/1.0\r\n\r\n`],
    ['HTTP/1.1 without Host', `POST ${rpcPath} HTTP/1.1\r\n\r\n`],
    ['HTTP/1.1 with an empty Host', `POST ${rpcPath} HTTP/1.1\r\nHost:\r\n\r\n`],
    [
      'two lengths',
      `POST ${rpcPath} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`,
    ],
    [
      'a length and chunks',
      `POST ${rpcPath} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    ],
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['a TLS handshake on the cleartext port', Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 3])],
  ])('%s', async (_name, bytes) => {
    await using listener = await openTestListener();
    using client = new RawConnection(listener.port);
    client.write(bytes);
    await client.closed;
    expect(client.received.toString()).toMatch(/^HTTP\/1\.1 400 /u);
    await expectAlive(listener);
  });
});

describe('a message that is too large is refused', () => {
  const large = 'x'.repeat(200_000);

  test.each([
    ['gRPC', (baseUrl: string) => createGrpcTransport({ baseUrl })],
    [
      'Connect over HTTP/1.1',
      (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: '1.1' }),
    ],
    [
      'Connect over HTTP/2',
      (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: '2' }),
    ],
  ])('as it is, over %s', async (_name, open) => {
    await using listener = await openTestListener({ limits: { readMaxBytes: 65_536 } });
    const market = createClient(MarketService, open(listener.url));
    await expect(market.listInstruments({ exchange: large })).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: 'Expected a message of at most 65536 bytes, unpacked (MAX_MESSAGE_BYTES)',
    });
    await expectAlive(listener);
  });

  test('decompressed', async () => {
    await using listener = await openTestListener();
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    const response = await fetch(`${listener.url}${rpcPath}`, {
      method: 'POST',
      headers: { 'content-type': 'application/proto', 'content-encoding': 'gzip' },
      body: bomb,
    });
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({
      code: 'resource_exhausted',
      message: expect.stringContaining('MAX_MESSAGE_BYTES'),
    });
  });

  test('announced only: a length of 4 GiB', async () => {
    await using listener = await openTestListener();
    using session = openSession(listener);
    const stream = session.request(grpcHeaders);
    stream.end(Buffer.from([0, 255, 255, 255, 255, 1, 2, 3]));
    const trailers = await new Promise<IncomingHttpHeaders>((resolve) =>
      stream.once('trailers', resolve),
    );
    stream.resume();
    expect(Number(trailers['grpc-status'])).toBe(Code.ResourceExhausted);
    expect(trailers['grpc-message']).toContain('MAX_MESSAGE_BYTES');
  });

  test('a body that goes on after the answer is cut off', async () => {
    await using listener = await openTestListener({ limits: { readMaxBytes: 1_000 } });
    using client = new RawConnection(listener.port);
    client.write(
      `POST ${rpcPath} HTTP/1.1\r\nHost: a\r\nContent-Type: application/proto\r\nContent-Length: 100000000\r\n\r\n`,
    );
    client.write(Buffer.alloc(5_000));
    await client.closed;
    expect(client.received.toString()).toMatch(/^HTTP\/1\.1 429 /u);
  });
});

describe('a connection', () => {
  test('that shows half a preface is closed', async () => {
    await using listener = await openTestListener({ limits: { protocolTimeoutMs: 50 } });
    using client = new RawConnection(listener.port);
    client.write(preface.subarray(0, 10));
    await client.closed;
    await expectAlive(listener);
  });

  test('that says nothing is closed', async () => {
    await using listener = await openTestListener({ limits: { protocolTimeoutMs: 50 } });
    using client = new RawConnection(listener.port);
    await client.closed;
  });

  test('that sends its preface byte by byte is served', async () => {
    await using listener = await openTestListener();
    using client = new RawConnection(listener.port);
    for (const byte of Buffer.concat([preface, settingsFrame])) {
      client.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    // The server's own SETTINGS frame.
    await eventually(() => client.received.length >= 9);
    expect(client.received[3]).toBe(4);
  });

  test('of HTTP/2 that carries nothing is closed', async () => {
    await using listener = await openTestListener({ limits: { idleTimeoutMs: 100 } });
    using client = new RawConnection(listener.port);
    client.write(Buffer.concat([preface, settingsFrame]));
    await client.closed;
  });

  test('of HTTP/2 that its client ends is gone at once', async () => {
    await using listener = await openTestListener({ limits: { idleTimeoutMs: 600_000 } });
    using client = new RawConnection(listener.port);
    client.write(Buffer.concat([preface, settingsFrame]));
    await eventually(() => client.received.length >= 9);
    client.socket.end();
    await client.closed;
  });

  test('of HTTP/2 whose headers never end is closed', async () => {
    await using listener = await openTestListener({ limits: { idleTimeoutMs: 100 } });
    using client = new RawConnection(listener.port);
    client.write(Buffer.concat([preface, settingsFrame, frame(1, 0, 1, Buffer.of(0x82))]));
    await client.closed;
  });

  test('of HTTP/1.1 that is kept and not used is closed', async () => {
    await using listener = await openTestListener({ limits: { idleTimeoutMs: 100 } });
    using client = new RawConnection(listener.port);
    client.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.closed;
    expect(client.received.toString()).toMatch(/^HTTP\/1\.1 200 /u);
  });

  test('whose HTTP/1.1 head does not come is told so and closed', async () => {
    await using listener = await openTestListener({
      limits: { headersTimeoutMs: 50, lateRequestCheckMs: 20 },
    });
    using client = new RawConnection(listener.port);
    client.write('POST / HTTP/1.1\r\nHost: a\r\n');
    await client.closed;
    expect(client.received.toString()).toMatch(/^HTTP\/1\.1 408 /u);
  });

  test('whose HTTP/1.1 head is too large is told so and closed', async () => {
    await using listener = await openTestListener();
    using client = new RawConnection(listener.port);
    client.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    await client.closed;
    expect(client.received.toString()).toMatch(/^HTTP\/1\.1 431 /u);
  });

  test('over the bound of one address is closed at once, the others go on', async () => {
    await using listener = await openTestListener({ limits: { maxConnectionsPerAddress: 2 } });
    using first = new RawConnection(listener.port);
    using second = new RawConnection(listener.port);
    first.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    second.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => first.received.length > 0 && second.received.length > 0);
    using third = new RawConnection(listener.port);
    await third.closed;
    expect(third.received).toHaveLength(0);
    first[Symbol.dispose]();
    await eventually(async () => (await fetch(`${listener.url}/healthz`)).ok);
  });
});

describe('over HTTP/2', () => {
  test('a flood of streams ends the connection and nobody else’s', async () => {
    await using listener = await openTestListener();
    using other = openSession(listener);
    using client = new RawConnection(listener.port);
    client.write(Buffer.concat([preface, settingsFrame]));
    const headers = Buffer.concat([
      Buffer.of(0x83, 0x86), // :method POST, :scheme http
      Buffer.of(0x04, rpcPath.length),
      Buffer.from(rpcPath),
      Buffer.of(0x01, 1),
      Buffer.from('a'),
    ]);
    const opens = Array.from({ length: 5_000 }, (_, index) => frame(1, 4, index * 2 + 1, headers));
    client.write(Buffer.concat(opens));
    await client.closed;
    expect(await request(other, { ':path': '/healthz', ':method': 'GET' })).toBe('200');
  });

  test('a flood of PINGs ends the connection', async () => {
    await using listener = await openTestListener({ limits: { maxIdlePings: 50 } });
    using client = new RawConnection(listener.port);
    client.write(Buffer.concat([preface, settingsFrame]));
    // One at a time, as each answer must not pass for data.
    let sent = 0;
    while (!client.socket.destroyed && sent < 500) {
      client.write(pingFrame);
      sent++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.closed;
    expect(sent).toBeGreaterThan(50);
    // GOAWAY with ENHANCE_YOUR_CALM is the last word.
    expect(client.received.subarray(-4).readUInt32BE()).toBe(11);
  });

  test.each([undefined, testCertificate])('PINGs that follow data are free (%#)', async (tls) => {
    await using listener = await openTestListener({
      tls,
      limits: { maxIdlePings: 10 },
      routes: (router) =>
        router.service(MarketService, {
          async *streamTrades(_request, { signal }) {
            while (!signal.aborted) {
              yield { cursor: 'x'.repeat(200) };
              await new Promise((resolve) => setImmediate(resolve));
            }
          },
        }),
    });
    const session = connectHttp2(listener.url.replace('127.0.0.1', 'localhost'), {
      ca: testCertificate.ca,
    });
    const stream = session.request({
      ...grpcHeaders,
      ':path': '/tradewind.market.v1.MarketService/StreamTrades',
    });
    stream.on('error', () => {});
    stream.end(Buffer.alloc(5));
    let pings = 0;
    for await (const _ of stream) {
      if (++pings === 100) break;
      await new Promise<void>((resolve, reject) =>
        session.ping((error) => (error === null ? resolve() : reject(error))),
      );
    }
    expect(pings).toBe(100);
    session.destroy();
  });

  test('a request whose body does not come is ended with DEADLINE_EXCEEDED', async () => {
    await using listener = await openTestListener({ limits: { requestBodyTimeoutMs: 50 } });
    using session = openSession(listener);
    const stream = session.request(grpcHeaders);
    stream.write(Buffer.of(0));
    stream.resume();
    const trailers = await new Promise<IncomingHttpHeaders>((resolve) =>
      stream.once('trailers', resolve),
    );
    expect(Number(trailers['grpc-status'])).toBe(Code.DeadlineExceeded);
  });

  test('a client that does not answer our PING is given up', async () => {
    await using listener = await openTestListener({ limits: { keepaliveMs: 50 } });
    using client = new RawConnection(listener.port);
    client.write(
      Buffer.concat([
        preface,
        settingsFrame,
        frame(
          1,
          4,
          1,
          Buffer.concat([
            Buffer.of(0x83, 0x86, 0x04, rpcPath.length),
            Buffer.from(rpcPath),
            Buffer.of(0x01, 1),
            Buffer.from('a'),
            Buffer.of(0x0f, 0x10, 16),
            Buffer.from('application/grpc'),
          ]),
        ),
      ]),
    );
    await client.closed;
  });
});

test('deadlines that make no sense are refused or passed at once', async () => {
  await using listener = await openTestListener();
  using session = openSession(listener);
  const statusOf = (timeout: string) =>
    new Promise<number>((resolve) => {
      const stream = session.request({ ...grpcHeaders, 'grpc-timeout': timeout });
      stream.once('trailers', (trailers) => resolve(Number(trailers['grpc-status'])));
      stream.resume();
      stream.end(Buffer.alloc(5));
    });
  expect(await statusOf('0m')).toBe(Code.DeadlineExceeded);
  expect(await statusOf('99999999H')).toBe(Code.InvalidArgument);
  expect(await statusOf('5x')).toBe(Code.InvalidArgument);
  expect(await statusOf('-5S')).toBe(Code.InvalidArgument);
});

const grpcHeaders = {
  ':method': 'POST',
  ':path': rpcPath,
  'content-type': 'application/grpc',
  te: 'trailers',
};

function openSession({ url }: Listener): ClientHttp2Session & Disposable {
  const session = connectHttp2(url);
  session.on('error', () => {});
  return Object.assign(session, { [Symbol.dispose]: () => session.destroy() });
}

/** @returns the status, or "reset" */
function request(session: ClientHttp2Session, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve) => {
    const stream = session.request({ ':method': 'POST', ...headers });
    stream.on('error', () => resolve('reset'));
    stream.on('response', (response) => resolve(String(response[':status'])));
    stream.on('close', () => resolve('reset'));
    stream.resume();
    stream.end();
  });
}
