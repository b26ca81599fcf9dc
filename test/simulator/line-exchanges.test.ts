import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { LinePrices } from '../../src/simulator/line-prices.ts';
import { SimulatedMarket } from '../../src/simulator/simulated-market.ts';
import { eventually } from '../support/eventually.ts';
import { aSimulator, noon } from './a-simulator.ts';
import type { SimulatorTwin } from './a-simulator.ts';

type Line = { readonly symbol: string; readonly price: number; readonly timestamp: number };

class Listener {
  text = '';
  isClosed = false;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    onTestFinished(() => void this.socket.destroy());
    this.socket.setEncoding('utf8');
    this.socket.on('data', (text) => (this.text += String(text)));
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.isClosed = true));
  }

  get lines(): Line[] {
    return this.text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  }
}

/** Connects to the nth exchange and waits until the simulator knows it. */
async function listen(twin: SimulatorTwin, index = 0): Promise<Listener> {
  const before = await connections(twin, index);
  const listener = new Listener(twin.simulator.exchangePorts[index] ?? 0);
  await once(listener.socket, 'connect');
  await eventually(async () => (await connections(twin, index)) === before + 1);
  return listener;
}

type State = Record<
  string,
  { connections: number; sent: number; isListening: boolean; paused: string[] }
>;

async function stateOf(twin: SimulatorTwin, index = 0) {
  const { body } = await twin.get<{ exchanges: State }>('/control');
  const state = body.exchanges[`exchange${index + 1}`];
  if (state === undefined) throw new Error('Expected the exchange to be there');
  return state;
}

const connections = async (twin: SimulatorTwin, index: number) =>
  (await stateOf(twin, index)).connections;

test('whoever connects is told prices of all symbols in turn, and asks for nothing', async () => {
  const twin = await aSimulator();
  const listener = await listen(twin);
  await twin.clock.advance(1000);
  await eventually(() => expect(listener.lines).toHaveLength(10));
  const symbols = ['BTCUSDT', 'DOGEUSDT', 'TONUSDT', 'SOLUSDT', 'ETHUSDT'];
  expect(
    listener.lines
      .slice(0, 5)
      .map(({ symbol }) => symbol)
      .toSorted(),
  ).toEqual(symbols.toSorted());
  for (const { price, timestamp } of listener.lines) {
    expect(price).toBeGreaterThan(0);
    expect(timestamp).toBeGreaterThanOrEqual(noon / 1000);
    expect(timestamp).toBeLessThan(noon / 1000 + 1000);
  }
  expect(listener.text).toMatch(
    /^(\{"symbol":"[A-Z]+","price":\d+(\.\d+)?,"timestamp":\d{13}\}\n)+$/,
  );
});

test('each exchange has prices of its own, near those of the others', async () => {
  const twin = await aSimulator();
  const listeners = [await listen(twin, 0), await listen(twin, 1), await listen(twin, 2)];
  await twin.clock.advance(1000);
  await eventually(() => listeners.every(({ lines }) => lines.length === 10));
  const prices = listeners.map(
    ({ lines }) => lines.find(({ symbol }) => symbol === 'BTCUSDT')?.price ?? 0,
  );
  expect(new Set(prices).size).toBe(3);
  expect(Math.max(...prices) / Math.min(...prices)).toBeLessThan(1.001);
});

test('the rate is what it is set to, whatever the steps of time', async () => {
  const twin = await aSimulator({ exchangeRate: 16_667 });
  const listener = await listen(twin);
  await twin.clock.advance(1000, 37);
  await eventually(() => expect(listener.text.split('\n')).toHaveLength(16_668));
  expect((await stateOf(twin)).sent).toBe(16_667);
});

test('prices are a function of seed, exchange and time, and every number has its time', () => {
  const prices = (seed: string, exchange: string, perSecond = 7) =>
    new LinePrices(new SimulatedMarket(seed), {
      exchange,
      symbols: ['BTCUSDT', 'ETHUSDT'],
      perSecond,
    });
  const number = prices('a', 'x').updatesBefore(noon);
  expect(prices('a', 'x').update(number)).toEqual(prices('a', 'x').update(number));
  expect(prices('a', 'x').update(number).price).not.toBe(prices('a', 'y').update(number).price);
  expect(prices('a', 'x').update(number).price).not.toBe(prices('b', 'x').update(number).price);
  for (const perSecond of [1, 7, 10, 16_667, 100_000]) {
    const some = prices('a', 'x', perSecond);
    const first = some.updatesBefore(noon);
    expect(some.update(first).time).toBeGreaterThanOrEqual(noon);
    expect(some.update(first - 1).time).toBeLessThan(noon);
    expect(some.updatesBefore(noon + 1_000_000) - first).toBe(perSecond);
    for (let each = first; each < first + 50; each++) {
      expect(some.updatesBefore(some.update(each).time)).toBe(each);
    }
  }
});

test('a simulator that is started again goes on with the prices that it would have had', async () => {
  const before = await aSimulator();
  const first = await listen(before);
  await before.clock.advance(2000);
  await eventually(() => first.lines.length === 20);
  const again = await aSimulator();
  const second = await listen(again);
  await again.clock.advance(2000);
  await eventually(() => second.lines.length === 20);
  expect(second.text).toBe(first.text);
});

test('an injected price is sent exactly as it is written, in the place of the symbol’s own', async () => {
  const twin = await aSimulator();
  const listener = await listen(twin);
  const where = { action: 'inject', exchange: 'exchange1', symbol: 'BTCUSDT' };
  const price = '100000000000000.000000000000000001';
  expect(await twin.control({ ...where, price })).toMatchObject({
    status: 200,
    body: { price, timestamp: noon / 1000, delivered: 1 },
  });
  await twin.control({ ...where, price: '5', agoMs: 240_000 });
  await twin.control({ ...where, price: '6', timestamp: 1_753_000_000 });
  await twin.clock.advance(1000);
  await eventually(() => expect(listener.lines).toHaveLength(3 + 8));
  expect(listener.text.split('\n').filter((line) => line.includes('BTC'))).toEqual([
    `{"symbol":"BTCUSDT","price":${price},"timestamp":${noon / 1000}}`,
    `{"symbol":"BTCUSDT","price":5,"timestamp":${noon / 1000 - 240_000}}`,
    '{"symbol":"BTCUSDT","price":6,"timestamp":1753000000}',
  ]);
  expect(await stateOf(twin)).toMatchObject({ paused: ['BTCUSDT'], sent: 11 });
  await twin.control({ action: 'resume', exchange: 'exchange1' });
  await twin.clock.advance(1000);
  await eventually(() => expect(listener.lines).toHaveLength(11 + 10));
});

test('what is injected at one exchange leaves the others alone', async () => {
  const twin = await aSimulator();
  const other = await listen(twin, 1);
  await twin.control({ action: 'inject', exchange: 'exchange1', symbol: 'BTCUSDT', price: '1' });
  await twin.clock.advance(1000);
  await eventually(() =>
    expect(other.lines.filter(({ symbol }) => symbol === 'BTCUSDT')).toHaveLength(2),
  );
});

test('a stalled exchange keeps its connections and tells nothing', async () => {
  const twin = await aSimulator();
  const listener = await listen(twin);
  await twin.control({ action: 'stall', exchange: 'exchange1', durationMs: 2000 });
  await twin.clock.advance(1900, 100);
  expect(await stateOf(twin)).toMatchObject({ connections: 1, sent: 0 });
  await twin.clock.advance(1100, 100);
  await eventually(() => expect(listener.lines).toHaveLength(10));
});

test('a stalled symbol is silent while the others are told', async () => {
  const twin = await aSimulator();
  const listener = await listen(twin);
  await twin.control({ action: 'stall', exchange: 'exchange1', symbol: 'TONUSDT' });
  await twin.clock.advance(1000);
  await eventually(() => expect(listener.lines).toHaveLength(8));
  await twin.control({ action: 'clear' });
  await twin.clock.advance(1000);
  await eventually(() => expect(listener.lines).toHaveLength(18));
});

test.each(['abrupt', 'midLine', 'reset'])(
  'an exchange that is cut (%s) loses its clients and takes new ones',
  async (how) => {
    const twin = await aSimulator();
    const listener = await listen(twin);
    await twin.control({ action: 'cut', exchange: 'exchange1', how });
    await eventually(() => listener.isClosed);
    expect(listener.text).toBe(how === 'midLine' ? '{"symbol":"' : '');
    await eventually(async () => (await connections(twin, 0)) === 0);
    await listen(twin);
  },
);

test('an exchange that refuses takes no new clients, keeps the old ones, and is back at its port', async () => {
  const twin = await aSimulator();
  const old = await listen(twin);
  await twin.control({ action: 'refuse', exchange: 'exchange1', durationMs: 1000 });
  const refused = new Listener(twin.simulator.exchangePorts[0] ?? 0);
  await eventually(() => refused.isClosed);
  expect(await stateOf(twin)).toMatchObject({ isListening: false, connections: 1 });
  await twin.clock.advance(2000, 100);
  await eventually(() => expect(old.lines.length).toBeGreaterThan(15));
  await listen(twin);
});

test('a client that does not read is cut off, and another one is not', async () => {
  const twin = await aSimulator({ exchangeRate: 100_000 });
  const idle = await listen(twin);
  const busy = await listen(twin);
  idle.socket.pause();
  await eventually(async () => {
    const before = busy.text.length;
    await twin.clock.advance(1000);
    await eventually(() => busy.text.length > before + 6_000_000 && busy.text.endsWith('}\n'));
    return (await connections(twin, 0)) === 1;
  });
  expect(busy.isClosed).toBe(false);
});

test('garbage is written as it is', async () => {
  const twin = await aSimulator();
  const listener = await listen(twin);
  const lines = ['not json', { raw: Buffer.from('half').toString('base64') }, { bytes: 5 }];
  const answer = await twin.control({ action: 'garbage', exchange: 'exchange1', lines });
  expect(answer.body).toEqual({ connections: 1, lines: 3 });
  await eventually(() => expect(listener.text).toBe('not json\nhalfxxxxx'));
});

const inject = { action: 'inject', exchange: 'exchange1', symbol: 'BTCUSDT', price: '1' };

test.each([
  [
    { ...inject, exchange: 'exchange9' },
    'exchange: expected one of exchange1, exchange2, exchange3, got "exchange9"',
  ],
  [{ ...inject, price: 1 }, 'price: expected a decimal number as text like "100123.45", got 1'],
  [{ ...inject, price: '1e5' }, 'price: expected a decimal number as text'],
  [{ ...inject, agoMs: 1, timestamp: 1 }, 'agoMs: expected only without timestamp'],
  [{ ...inject, frames: [] }, 'frames: expected one of exchange, symbol, price, agoMs, timestamp'],
  [
    { action: 'drop', exchange: 'exchange1' },
    'action: expected one of inject, resume, cut, garbage, stall, refuse',
  ],
  [
    { action: 'cut', exchange: 'exchange1', how: 'close' },
    'how: expected one of abrupt, midLine, reset',
  ],
  [
    { action: 'garbage', exchange: 'exchange1', lines: [{ binary: 'AA==' }] },
    'lines[0]: expected a text or an object',
  ],
  [
    { action: 'garbage', exchange: 'exchange1', lines: [{ bytes: 1e9 }] },
    'lines[0].bytes: expected an integer',
  ],
])('%j is refused, naming the field', async (body, message) => {
  const twin = await aSimulator();
  const answer = await twin.control<{ error: string }>(body);
  expect(answer.status).toBe(400);
  expect(answer.body.error).toContain(message);
});
