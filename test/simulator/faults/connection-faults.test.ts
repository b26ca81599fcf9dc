import { connect as connectTcp } from 'node:net';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../../support/eventually.ts';
import { aSimulator, noon } from '../a-simulator.ts';
import type { SimulatorTwin } from '../a-simulator.ts';
import { eventsOf, pass, settled, stateOf } from './events.ts';

const stream = '/stream?streams=btcusdt@bookTicker';

/** A socket that speaks no more than the handshake and keeps every byte after it. */
async function rawClient({ simulator }: SimulatorTwin, path: string) {
  const socket = connectTcp(simulator.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const bytes: Buffer[] = [];
  const ends: string[] = [];
  socket.on('data', (chunk: Buffer) => bytes.push(chunk));
  socket.on('end', () => ends.push('end'));
  socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  const received = () => Buffer.concat(bytes);
  await eventually(() => received().includes('\r\n\r\n'));
  return {
    socket,
    ends,
    afterHandshake: () => received().subarray(received().indexOf('\r\n\r\n') + 4),
  };
}

/** How an attempt to connect is refused. */
async function refusalOf({ simulator }: SimulatorTwin) {
  const socket = new WebSocket(simulator.url.replace('http', 'ws') + stream);
  // Leaving before it is open is told as an error.
  socket.on('error', () => {});
  const [request, { statusCode, headers }] = (await once(socket, 'unexpected-response')) as [
    { destroy: () => void },
    { statusCode: number; headers: Record<string, string> },
  ];
  request.destroy();
  return { status: statusCode, retryAfter: headers['retry-after'] };
}

test.each([
  [{}, 1006, ''],
  [{ how: 'abrupt' }, 1006, ''],
  [{ how: 'midFrame' }, 1006, ''],
  [{ how: 'reset' }, 1006, ''],
  [{ how: 'close' }, 1001, ''],
  [{ code: 1012, reason: 'restarting' }, 1012, 'restarting'],
])('a cut with %j is a close with code %i for the client', async (how, code, reason) => {
  const twin = await aSimulator();
  const client = await twin.connect(stream);
  const reasons: string[] = [];
  client.socket.on('close', (_, text) => reasons.push(text.toString()));
  const { body } = await twin.control({ action: 'cut', ...how });
  expect(body).toEqual({ connections: 1 });
  expect(await client.closed).toBe(code);
  expect(reasons).toEqual([reason]);
  await eventually(async () => expect((await stateOf(twin)).connections).toBe(0));
});

test('a cut within a frame sends half of its bytes', async () => {
  const twin = await aSimulator();
  const raw = await rawClient(twin, '/ws/btcusdt@bookTicker');
  const text = JSON.stringify({ u: 1, b: '1', a: '2', pad: 'x'.repeat(200) });
  await twin.control({ action: 'inject', symbol: 'BTCUSDT', frames: [text] });
  await twin.control({ action: 'cut', how: 'midFrame' });
  await eventually(() => raw.ends.length > 0);
  const whole = 4 + text.length;
  const sent = raw.afterHandshake();
  expect(sent.length).toBe(whole + Math.ceil(whole / 2));
  expect(sent.subarray(whole, whole + 4)).toEqual(sent.subarray(0, 4));
});

test('only the connections that listen to the symbol are cut', async () => {
  const twin = await aSimulator();
  const [btc, eth] = [await twin.connect(stream), await twin.connect('/ws/ethusdt@aggTrade')];
  await twin.control({ action: 'cut', symbol: 'BTCUSDT' });
  expect(await btc.closed).toBe(1006);
  await settled(eth);
  expect(await stateOf(twin)).toMatchObject({ connections: 1 });
});

test('a vanished connection gets nothing, no ping, no answer, no end, until that is cleared', async () => {
  const twin = await aSimulator();
  const client = await twin.connect(stream);
  const raw = await rawClient(twin, '/ws/btcusdt@bookTicker');
  await pass(twin, 1);
  const last = (await settled(client)).at(-1)?.['data'];
  await eventually(() => raw.afterHandshake().includes(JSON.stringify(last)));
  await twin.control({ action: 'vanish' });
  const later = await twin.connect(stream);
  const before = raw.afterHandshake().length;
  client.send({ method: 'LIST_SUBSCRIPTIONS', id: 1 });
  // A pong would answer this, and a FIN the end.
  raw.socket.end(Buffer.from([0x89, 0x80, 0, 0, 0, 0]));
  await twin.control({ action: 'garbage', frames: ['{"nor":"this"}'] });
  await pass(twin, 120);
  expect(await settled(later)).not.toEqual([]);
  expect(client.pings).toBe(0);
  expect(client.socket.readyState).toBe(client.socket.OPEN);
  expect(eventsOf(client).filter(({ id }) => id === 1)).toEqual([]);
  expect(raw.afterHandshake().length).toBe(before);
  expect(raw.ends).toEqual([]);
  const state = await stateOf(twin);
  expect(state).toMatchObject({ connections: 3, faults: [{ action: 'vanish', connections: 2 }] });
  await twin.control({ action: 'clear', kind: 'vanish' });
  expect(await client.closed).toBe(1006);
  await eventually(async () => expect((await stateOf(twin)).connections).toBe(1));
});

test('the daily cut ends all connections now', async () => {
  const twin = await aSimulator();
  const client = await twin.connect(stream);
  await twin.control({ action: 'dayCut' });
  expect(await client.closed).toBe(1006);
});

test('with a shorter day each connection lives that long', async () => {
  const twin = await aSimulator();
  await twin.control({ action: 'dayCut', lifeMs: 3_000, code: 1000 });
  const early = await twin.connect(stream);
  await pass(twin, 2);
  const late = await twin.connect(stream);
  await pass(twin, 1.1);
  expect(await early.closed).toBe(1000);
  await settled(late);
  await pass(twin, 2);
  expect(await late.closed).toBe(1000);
  expect((await stateOf(twin)).faults).toMatchObject([{ action: 'dayCut', acted: 2 }]);
});

test('a shutdown is told in the form of each connection, and follows', async () => {
  const twin = await aSimulator();
  const combined = await twin.connect(stream);
  const raw = await twin.connect('/ws');
  await twin.control({ action: 'serverShutdown', afterMs: 5_000 });
  const event = { e: 'serverShutdown', E: noon / 1000 };
  expect(await settled(raw)).toEqual([event]);
  expect(await settled(combined)).toEqual([{ stream: '!serverShutdown', data: event }]);
  const next = await twin.connect(stream);
  await pass(twin, 4.8);
  await settled(raw);
  expect((await stateOf(twin)).faults).toMatchObject([{ action: 'serverShutdown', leftMs: 200 }]);
  await pass(twin, 0.5);
  expect(await raw.closed).toBe(1006);
  expect(await combined.closed).toBe(1006);
  expect(next.socket.readyState).toBe(next.socket.OPEN);
});

test('a shutdown that is cleared does not follow', async () => {
  const twin = await aSimulator();
  const client = await twin.connect(stream);
  await twin.control({ action: 'serverShutdown', afterMs: 1_000 });
  await twin.control({ action: 'clear' });
  await pass(twin, 5);
  await settled(client);
  expect(client.socket.readyState).toBe(client.socket.OPEN);
});

const subscribe = { method: 'SUBSCRIBE', params: ['btcusdt@bookTicker', 'ethusdt@bookTicker'] };
const listed = async (client: Awaited<ReturnType<SimulatorTwin['connect']>>) => {
  client.send({ method: 'LIST_SUBSCRIPTIONS', id: 'list' });
  await eventually(() => eventsOf(client).some(({ id }) => id === 'list'));
  return eventsOf(client).find(({ id }) => id === 'list')?.['result'];
};

test.each([
  ['ok', [{ result: null, id: 7 }], ['ethusdt@bookTicker']],
  ['none', [], ['ethusdt@bookTicker']],
  ['error', [{ code: 2, msg: 'Invalid request: a fault was asked for', id: 7 }], []],
])('an ignored SUBSCRIBE is answered with "%s"', async (answer, answers, streams) => {
  const twin = await aSimulator();
  await twin.control({ action: 'ignoreSubscriptions', symbol: 'BTCUSDT', count: 1, answer });
  const client = await twin.connect('/ws');
  client.send({ ...subscribe, id: 7 });
  expect(await listed(client)).toEqual(streams);
  expect(eventsOf(client).filter(({ id }) => id === 7)).toEqual(answers);
  client.send({ ...subscribe, id: 8 });
  client.messages.length = 0;
  expect((await listed(client)) as string[]).toHaveLength(2);
});

test('what a URL asks for is ignored like a SUBSCRIBE', async () => {
  const twin = await aSimulator();
  await twin.control({ action: 'ignoreSubscriptions', durationMs: 1_000 });
  const client = await twin.connect(stream);
  expect(await listed(client)).toEqual([]);
  await pass(twin, 1);
  const later = await twin.connect(stream);
  expect(await listed(later)).toEqual(['btcusdt@bookTicker']);
});

test('a lost subscription is gone from the list and from the stream without a word', async () => {
  const twin = await aSimulator();
  const path = '/ws/btcusdt@bookTicker/btcusdt@aggTrade/ethusdt@bookTicker';
  const client = await twin.connect(path);
  const lose = { action: 'loseSubscription', symbol: 'BTCUSDT' };
  const { body } = await twin.control({ ...lose, stream: 'aggTrade' });
  expect(body).toEqual({ symbol: 'BTCUSDT', lost: 1 });
  await twin.control(lose);
  await pass(twin, 2);
  expect(await listed(client)).toEqual(['ethusdt@bookTicker']);
  const symbols = new Set(eventsOf(client).flatMap(({ s }) => (s === undefined ? [] : [s])));
  expect(symbols).toEqual(new Set(['ETHUSDT']));
});

test.each([
  [{ status: 429 }, '60'],
  [{ status: 429, retryAfterSeconds: 5 }, '5'],
  [{ status: 418 }, '120'],
  [{ status: 451 }, undefined],
  [{ status: 403 }, undefined],
  [{ status: 503 }, undefined],
])('connections are refused with %j', async (refusal, retryAfter) => {
  const twin = await aSimulator();
  await twin.control({ action: 'refuse', door: 'websocket', count: 2, ...refusal });
  for (let attempt = 0; attempt < 2; attempt++) {
    expect(await refusalOf(twin)).toEqual({ status: refusal.status, retryAfter });
  }
  await twin.connect(stream);
  expect((await twin.get('/api/v3/time')).status).toBe(200);
});

test('connections and questions can be left unanswered, and the simulator still ends', async () => {
  const twin = await aSimulator();
  await twin.control({ action: 'refuse', status: 'silence' });
  const url = twin.simulator.url;
  const opening = new WebSocket(url.replace('http', 'ws') + stream, { handshakeTimeout: 50 });
  const [error] = (await once(opening, 'error')) as [Error];
  expect(error.message).toBe('Opening handshake has timed out');
  const asking = fetch(`${url}/api/v3/time`, { signal: AbortSignal.timeout(50) });
  await expect(asking).rejects.toThrow('timeout');
  // They wait for ever; its end must not wait for them.
  const waiting = new WebSocket(url.replace('http', 'ws') + stream);
  const failed = once(waiting, 'error');
  await eventually(async () => expect((await stateOf(twin)).acted).toEqual({ refuse: 3 }));
  await twin.simulator[Symbol.asyncDispose]();
  await failed;
});

test('connections are accepted and closed so many times', async () => {
  const twin = await aSimulator();
  await twin.control({ action: 'acceptThenClose', count: 2 });
  for (let attempt = 0; attempt < 2; attempt++) {
    expect(await (await twin.connect(stream)).closed).toBe(1006);
  }
  await settled(await twin.connect(stream));
  expect((await stateOf(twin)).acted).toEqual({ acceptThenClose: 2 });
});

test('a connection can end after its first events', async () => {
  const twin = await aSimulator();
  await twin.control({ action: 'acceptThenClose', afterFrames: 3, code: 1008 });
  const client = await twin.connect(stream);
  await pass(twin, 2);
  expect(await client.closed).toBe(1008);
  expect(client.messages).toHaveLength(3);
});

test('garbage is written just as it is to the connections of the symbol', async () => {
  const twin = await aSimulator();
  const client = await twin.connect(stream);
  const other = await twin.connect('/ws/ethusdt@bookTicker');
  const got: [string, boolean][] = [];
  client.socket.on('message', (data, isBinary) =>
    got.push([Buffer.isBuffer(data) ? data.toString() : '?', isBinary]),
  );
  const texts = ['not json', '', '\uFEFF{"e":"strange"}', '{"e":"aggTrade","s":"BTCUSDT"}'];
  const frames = [...texts, { binary: 'AAEC' }, { fragments: 1_000 }, { bytes: 70_000 }];
  const { body } = await twin.control({ action: 'garbage', symbol: 'BTCUSDT', frames });
  expect(body).toEqual({ connections: 1, frames: 7 });
  await eventually(() => got.length === 7);
  expect(got.slice(0, 5)).toEqual([
    ...texts.map((text) => [text, false]),
    ['\u0000\u0001\u0002', true],
  ]);
  expect(got.slice(5).map(([text]) => text.length)).toEqual([1_000, 70_000]);
  expect(await settled(other)).toEqual([]);
});

test('a huge frame and broken bytes end a careful client and nobody else', async () => {
  const twin = await aSimulator();
  const url = twin.simulator.url.replace('http', 'ws') + stream;
  const codes: number[] = [];
  for (const frames of [[{ bytes: 100_000_000 }], [{ raw: '/////w==' }]]) {
    const careful = new WebSocket(url, { maxPayload: 1024 * 1024 });
    onTestFinished(() => careful.terminate());
    careful.on('error', () => {});
    await once(careful, 'open');
    const { promise: closed, resolve } = Promise.withResolvers<number>();
    careful.on('close', resolve);
    await twin.control({ action: 'garbage', frames });
    codes.push(await closed);
  }
  expect(codes).toEqual([1006, 1006]);
  await settled(await twin.connect(stream));
});
