import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { TwinClock } from '../support/twin-clock.ts';
import { aSimulator, noon } from './a-simulator.ts';
import type { Client } from './a-simulator.ts';

type Event = Readonly<Record<string, unknown>>;

const eventsOf = (client: Client): Event[] =>
  client.messages.map((text) => JSON.parse(text) as Event);

async function ask(client: Client, request: unknown): Promise<unknown> {
  const before = client.messages.length;
  client.send(request);
  await eventually(() => client.messages.length > before);
  return JSON.parse(client.messages[before] ?? '') as unknown;
}

test('the stream and REST tell the same trades, without a hole', async () => {
  const { connect, clock, get } = await aSimulator();
  const client = await connect('/ws/btcusdt@aggTrade');
  await clock.advance(30_000, 250);
  await eventually(() => client.messages.length > 100);
  const events = eventsOf(client);
  const told = await get<Event[]>(
    `/api/v3/aggTrades?symbol=BTCUSDT&fromId=${Number(events[0]?.['a'])}&limit=1000`,
  );
  await eventually(() => expect(client.messages).toHaveLength(told.body.length));
  const trades = eventsOf(client).map(({ e: _e, E: _E, s: _s, ...trade }) => trade);
  expect(trades).toEqual(told.body);
  for (const { E, T } of eventsOf(client)) expect(Number(E) - Number(T)).toBeLessThan(100);
});

const cents = (text: unknown) => Math.round(Number(text) * 1e4);

test('single trades are those that the aggregate ones hold', async () => {
  const { connect, clock } = await aSimulator();
  const client = await connect('/ws/ethusdt@aggTrade/ethusdt@trade');
  await clock.advance(5_000, 250);
  await eventually(() => client.messages.length > 50);
  const events = eventsOf(client);
  const last = events.findLast(({ e }) => e === 'aggTrade');
  await eventually(() => eventsOf(client).some(({ t }) => t === last?.['l']));
  const singles = new Map(
    eventsOf(client)
      .filter(({ e }) => e === 'trade')
      .map((event) => [event['t'], event]),
  );
  for (const { f, l, q, p, T, m } of events.filter(({ e }) => e === 'aggTrade')) {
    let sum = 0;
    for (let id = Number(f); id <= Number(l); id++) {
      expect(singles.get(id)).toMatchObject({ p, T, m });
      sum += cents(singles.get(id)?.['q']);
    }
    expect(sum).toBe(cents(q));
  }
});

test('a combined connection wraps events, in the time unit asked for', async () => {
  const { connect, clock } = await aSimulator();
  const streams = encodeURIComponent('这是测试币456@bookTicker/btcusdt@aggTrade');
  const client = await connect(`/stream?streams=${streams}&timeUnit=MICROSECOND`);
  await clock.advance(3_000, 250);
  const named = (name: string) => eventsOf(client).filter(({ stream }) => stream === name);
  await eventually(() => named('btcusdt@aggTrade').length > 5);
  expect(named('这是测试币456@bookTicker')[0]?.['data']).toMatchObject({ s: '这是测试币456' });
  const trade = named('btcusdt@aggTrade')[0]?.['data'] as Event;
  expect(trade).toMatchObject({ e: 'aggTrade' });
  expect(trade['T']).toBeGreaterThan(noon - 1_000_000);
});

test('streams are subscribed, listed, unsubscribed and shown combined on request', async () => {
  const { connect, clock } = await aSimulator();
  const client = await connect('/ws');
  const params = ['btcusdt@bookTicker', 'ltcbtc@aggTrade'];
  expect(await ask(client, { method: 'SUBSCRIBE', params, id: 1 })).toEqual({
    result: null,
    id: 1,
  });
  expect(await ask(client, { method: 'LIST_SUBSCRIPTIONS', id: 'x1' })).toEqual({
    result: params,
    id: 'x1',
  });
  expect(
    await ask(client, { method: 'UNSUBSCRIBE', params: ['ltcbtc@aggTrade'], id: null }),
  ).toEqual({ result: null, id: null });
  await clock.advance(1_000, 100);
  await eventually(() => eventsOf(client).some(({ s }) => s === 'BTCUSDT'));
  await clock.advance(1_000, 100);
  client.messages.length = 0;
  const set = { method: 'SET_PROPERTY', params: ['combined', true], id: 2 };
  client.send(set);
  await eventually(() => eventsOf(client).some(({ id }) => id === 2));
  client.send({ method: 'GET_PROPERTY', params: ['combined'], id: 3 });
  await eventually(() => eventsOf(client).some(({ id, result }) => id === 3 && result === true));
  client.messages.length = 0;
  await clock.advance(1_000, 100);
  await eventually(() => client.messages.length > 10);
  expect(eventsOf(client).at(-1)).toMatchObject({ stream: 'btcusdt@bookTicker' });
});

test.each([
  ['not json', 3, 'Invalid JSON'],
  ['[]', 2, 'Invalid request'],
  ['{"id":1}', 2, 'missing field `method`'],
  ['{"method":"HELLO","id":1}', 2, 'unknown variant "HELLO"'],
  ['{"method":"SUBSCRIBE","params":"btcusdt@trade","id":1}', 2, 'params'],
  ['{"method":"SUBSCRIBE","params":["btcusdt@kline_1m"],"id":1}', 2, 'unknown stream'],
  ['{"method":"SUBSCRIBE","params":["BTCUSDT@trade"],"id":1}', 2, 'unknown stream'],
  ['{"method":"SUBSCRIBE","params":["@trade"],"id":1}', 2, 'unknown stream'],
  ['{"method":"SUBSCRIBE","params":[7],"id":1}', 2, 'unknown stream'],
  ['{"method":"LIST_SUBSCRIPTIONS","id":1.5}', 2, 'request ID'],
  ['{"method":"LIST_SUBSCRIPTIONS","id":"not ok"}', 2, 'request ID'],
  ['{"method":"GET_PROPERTY","params":["colour"],"id":1}', 0, 'Unknown property'],
  ['{"method":"GET_PROPERTY","params":[],"id":1}', 2, 'property name must be a string'],
  ['{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}', 1, 'expected Boolean'],
  ['{"method":"SET_PROPERTY","params":["combined",true,1],"id":1}', 2, 'too many parameters'],
])('%s is answered with an error %d, and the connection lives on', async (request, code, msg) => {
  const { connect } = await aSimulator();
  const client = await connect('/ws');
  expect(await ask(client, request)).toMatchObject({ code, msg: expect.stringContaining(msg) });
  expect(await ask(client, { method: 'LIST_SUBSCRIPTIONS', id: 9 })).toEqual({
    result: [],
    id: 9,
  });
});

test('an unknown stream in the URL is told, and the connection lives on', async () => {
  const { connect } = await aSimulator();
  const client = await connect('/ws/btcusdt@nothing');
  await eventually(() => client.messages.length === 1);
  expect(eventsOf(client)[0]).toMatchObject({ code: 2 });
  expect(await ask(client, { method: 'LIST_SUBSCRIPTIONS', id: 1 })).toMatchObject({ result: [] });
});

test.each(['/', '/wsx', '/stream/x', '/ws/%E0%A4%A'])(
  'a WebSocket at %s is refused',
  async (path) => {
    const { connect } = await aSimulator();
    await expect(connect(path)).rejects.toThrow('404');
  },
);

test('a connection listens to at most 1024 streams', async () => {
  const { connect } = await aSimulator();
  const client = await connect('/ws');
  const params = Array.from({ length: 1024 }, (_, index) => `coin${index}usdt@trade`);
  expect(await ask(client, { method: 'SUBSCRIBE', params, id: 1 })).toMatchObject({ id: 1 });
  const more = { method: 'SUBSCRIBE', params: ['btcusdt@trade'], id: 2 };
  expect(await ask(client, more)).toMatchObject({
    code: 2,
    msg: expect.stringContaining('too many streams'),
  });
  const other = await connect('/ws');
  expect(await ask(other, more)).toMatchObject({
    code: 2,
    msg: expect.stringContaining('too many symbols'),
  });
});

test('the sixth message within a second ends the connection', async () => {
  const { connect, clock } = await aSimulator();
  const client = await connect('/ws');
  for (let round = 0; round < 3; round++) {
    for (let id = 0; id < 5; id++) await ask(client, { method: 'LIST_SUBSCRIPTIONS', id });
    clock.moveTo(clock.now() + 1_000_000);
  }
  for (let id = 0; id < 6; id++) client.send({ method: 'LIST_SUBSCRIPTIONS', id });
  expect(await client.closed).toBe(1008);
});

test('a ping comes every 20 s, and who does not answer within a minute is cut', async () => {
  const { connect, clock } = await aSimulator();
  const answering = await connect('/ws');
  const silent = await connect('/ws', { autoPong: false });
  for (let count = 1; count <= 3; count++) {
    clock.moveTo(clock.now() + 20_000_000);
    await eventually(() => {
      expect([answering.pings, silent.pings]).toEqual([count, count]);
    });
    // The pong has arrived when an answer to something sent after it has.
    await ask(answering, { method: 'LIST_SUBSCRIPTIONS', id: 1 });
  }
  clock.moveTo(clock.now() + 20_000_000);
  expect(await silent.closed).toBe(1006);
  expect(await ask(answering, { method: 'LIST_SUBSCRIPTIONS', id: 2 })).toMatchObject({ id: 2 });
});

test('a message beyond 128 KiB ends its connection, not the simulator', async () => {
  const { connect, get } = await aSimulator();
  const client = await connect('/ws');
  client.send('x'.repeat(200_000));
  expect(await client.closed).toBe(1009);
  expect((await get('/api/v3/ping')).status).toBe(200);
});

test('a client that does not read is cut off, the others are not', async () => {
  const { connect, clock, get } = await aSimulator();
  const symbols = Array.from({ length: 500 }, (_, index) => `coin${index}usdt@bookTicker`);
  const stalled = await connect(`/stream?streams=${symbols.join('/')}`);
  const reading = await connect('/ws/btcusdt@bookTicker');
  const listening = async () => (await get<{ listening: number }>('/control')).body.listening;
  expect(await listening()).toBe(2);
  stalled.socket.pause();
  // The kernel takes some MB before anything waits in the process.
  await eventually(async () => {
    await clock.advance(5_000, 1_000);
    return (await listening()) === 1;
  }, 60_000);
  expect(reading.socket.readyState).toBe(reading.socket.OPEN);
});

/** A clock whose time can be set, without its timers noticing: as after a stop of the process. */
class SetClock extends TwinClock {
  #ahead = 0;

  override now(): number {
    return super.now() + this.#ahead;
  }

  setAhead(seconds: number): void {
    this.#ahead += seconds * 1_000_000;
  }
}

test('after a stop of the process what was missed is sent in order', async () => {
  const clock = new SetClock(noon);
  const { connect } = await aSimulator({}, clock);
  const client = await connect('/ws/btcusdt@aggTrade/btcusdt@bookTicker');
  await clock.advance(1_000, 100);
  clock.setAhead(30);
  await clock.advance(1_000, 100);
  await eventually(() => client.messages.length > 1_500);
  const ids = eventsOf(client).flatMap(({ a }) => (typeof a === 'number' ? [a] : []));
  expect(ids.length).toBeGreaterThan(200);
  expect(ids).toEqual(ids.map((_, index) => (ids[0] ?? 0) + index));
});

test('after a clock was set back nothing is sent twice', async () => {
  const clock = new SetClock(noon);
  const { connect } = await aSimulator({}, clock);
  const client = await connect('/ws/btcusdt@bookTicker');
  await clock.advance(2_000, 100);
  clock.setAhead(-1);
  await clock.advance(2_000, 100);
  await eventually(() => client.messages.length > 100);
  const ids = eventsOf(client).map(({ u }) => Number(u));
  expect(ids).toEqual(ids.map((_, index) => (ids[0] ?? 0) + index));
});

test('after a stop of more than a minute everybody is cut off', async () => {
  const clock = new SetClock(noon);
  const { connect } = await aSimulator({}, clock);
  const client = await connect('/ws/btcusdt@aggTrade');
  clock.setAhead(61);
  await clock.advance(10);
  expect(await client.closed).toBe(1006);
});
