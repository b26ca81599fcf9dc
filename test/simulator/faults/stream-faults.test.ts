import { expect, test } from 'vitest';
import { aSimulator, noon } from '../a-simulator.ts';
import type { SimulatorTwin } from '../a-simulator.ts';
import { aggTrade, eventsOf, pass, settled, stateOf, trades, trueEvents } from './events.ts';
import type { Event } from './events.ts';

const ids = (events: readonly Event[], field = 'a') => events.map((event) => event[field]);

/** Far above any id that the generated market has by then. */
const first = 5_000_000_000;

/** A paused market with a listener, so that only what is injected is sent. */
async function aPausedMarket(): Promise<SimulatorTwin & Awaited<ReturnType<typeof listening>>> {
  const twin = await aSimulator();
  await twin.control({ action: 'inject', symbol: 'BNBUSDT', frames: [] });
  return { ...twin, ...(await listening(twin)) };
}

async function listening(twin: SimulatorTwin) {
  const client = await twin.connect('/ws/bnbusdt@aggTrade/bnbusdt@bookTicker');
  const inject = (frames: readonly Event[]) =>
    twin.control({ action: 'inject', symbol: 'BNBUSDT', frames });
  return { client, inject };
}

test('dropped trades are missing from the stream, and REST has them', async () => {
  const twin = await aSimulator();
  const client = await twin.connect('/ws/btcusdt@aggTrade');
  const { status } = await twin.control({ action: 'drop', symbol: 'BTCUSDT', count: 3 });
  expect(status).toBe(200);
  await pass(twin, 10);
  const all = trueEvents('btcusdt@aggTrade', 10);
  expect(await settled(client)).toEqual(all.slice(3));
  const path = `/api/v3/aggTrades?symbol=BTCUSDT&fromId=${Number(all[0]?.['a'])}&limit=5`;
  expect(ids((await twin.get<Event[]>(path)).body)).toEqual(ids(all.slice(0, 5)));
});

test('a dropped aggregate trade takes its single trades along', async () => {
  const twin = await aSimulator();
  const client = await twin.connect('/ws/ethusdt@aggTrade/ethusdt@trade');
  const [dropped] = trueEvents('ethusdt@aggTrade', 10).filter(({ l, f }) => l !== f);
  const id = Number(dropped?.['a']);
  await twin.control({ action: 'drop', symbol: 'ETHUSDT', ids: [id] });
  await pass(twin, 10);
  const events = await settled(client);
  expect(ids(events)).not.toContain(id);
  const singles = trueEvents('ethusdt@trade', 10).filter(
    ({ t }) => Number(t) < Number(dropped?.['f']) || Number(t) > Number(dropped?.['l']),
  );
  expect(
    ids(
      events.filter(({ e }) => e === 'trade'),
      't',
    ),
  ).toEqual(ids(singles, 't'));
});

test('a trade is dropped from all its streams or from none', async () => {
  const twin = await aSimulator();
  const client = await twin.connect('/ws/ethusdt@aggTrade/ethusdt@trade');
  await twin.control({ action: 'drop', oneIn: 3, count: 20 });
  await pass(twin, 20);
  const events = await settled(client);
  const kept = new Set(ids(events, 't'));
  const all = trueEvents('ethusdt@aggTrade', 20);
  const told = new Set(ids(events.filter(({ e }) => e === 'aggTrade')));
  expect(told.size).toBe(all.length - 20);
  for (const { a, f, l } of all) {
    for (let single = Number(f); single <= Number(l); single++) {
      expect(kept.has(single)).toBe(told.has(a));
    }
  }
});

test('trades that are dropped everywhere are missing from REST until that is cleared', async () => {
  const twin = await aPausedMarket();
  const gone = [{ from: first + 1, to: first + 3 }, first + 5];
  await twin.control({ action: 'drop', symbol: 'BNBUSDT', ids: gone, everywhere: true });
  await twin.inject(trades(first, 8));
  const left = [0, 4, 6, 7].map((index) => first + index);
  expect(ids(await settled(twin.client))).toEqual(left);
  const ask = async (query: string) =>
    ids((await twin.get<Event[]>(`/api/v3/aggTrades?symbol=BNBUSDT&${query}`)).body);
  expect(await ask(`fromId=${first + 1}&limit=2`)).toEqual(left.slice(1, 3));
  expect(await ask('limit=3')).toEqual(left.slice(1));
  expect(await ask(`startTime=${noon / 1000}&limit=4`)).toEqual(left);
  const state = await stateOf(twin);
  expect(state.faults).toMatchObject([{ action: 'drop', everywhere: true, acted: 4 }]);
  const { body } = await twin.control({ action: 'clear', kind: 'drop' });
  expect(body).toEqual({ cleared: 1 });
  expect(await ask(`fromId=${first}&limit=500`)).toEqual(ids(trades(first, 8)));
});

test('a million missing trades do not keep REST from those behind them', async () => {
  const twin = await aSimulator();
  const path = '/api/v3/aggTrades?symbol=BTCUSDT';
  const [last] = (await twin.get<Event[]>(`${path}&limit=1`)).body;
  const to = Number(last?.['a']) - 2;
  const from = to - 1_000_000;
  await twin.control({ action: 'drop', symbol: 'BTCUSDT', ids: [{ from, to }], everywhere: true });
  const { body } = await twin.get<Event[]>(`${path}&fromId=${from - 2}&limit=1000`);
  expect(ids(body)).toEqual([from - 2, from - 1, to + 1, to + 2]);
});

test('a count of dropped trades is shown while it lasts and kept when it is over', async () => {
  const twin = await aPausedMarket();
  await twin.control({ action: 'drop', count: 2 });
  await twin.inject(trades(first, 1));
  expect((await stateOf(twin)).faults).toMatchObject([{ number: 1, left: 1, acted: 1 }]);
  await twin.inject(trades(first + 1, 2));
  await pass(twin, 1);
  const { faults, ended, acted } = await stateOf(twin);
  expect(faults).toEqual([]);
  const dropped = { BNBUSDT: [{ from: first, to: first + 1 }] };
  expect(ended).toMatchObject([{ action: 'drop', dropped, left: 0 }]);
  expect(acted).toEqual({ drop: 2 });
  expect(ids(await settled(twin.client))).toEqual([first + 2]);
});

test('one in so many trades is dropped, the same ones in each run', async () => {
  const runs: unknown[] = [];
  for (let run = 0; run < 2; run++) {
    const twin = await aPausedMarket();
    await twin.control({ action: 'drop', oneIn: 5 });
    await twin.inject(trades(first, 500));
    runs.push(ids(await settled(twin.client)));
  }
  expect(runs[0]).toEqual(runs[1]);
  const { length } = runs[0] as unknown[];
  expect(length).toBeGreaterThan(350);
  expect(length).toBeLessThan(450);
});

test('duplicated frames come again, at once', async () => {
  const { control, inject, client } = await aPausedMarket();
  await control({ action: 'duplicate', count: 2, copies: 2 });
  await inject(trades(first, 3));
  const expected = [0, 0, 0, 1, 1, 1, 2].map((index) => first + index);
  expect(ids(await settled(client))).toEqual(expected);
});

test('duplicated frames come again later', async () => {
  const twin = await aPausedMarket();
  await twin.control({ action: 'duplicate', count: 1, afterMs: 60_000 });
  await twin.inject(trades(first, 2));
  await pass(twin, 59);
  expect(ids(await settled(twin.client))).toEqual([first, first + 1]);
  expect((await stateOf(twin)).faults).toMatchObject([{ action: 'duplicate', held: 1 }]);
  await pass(twin, 2);
  expect(ids(await settled(twin.client))).toEqual([first, first + 1, first]);
  expect((await stateOf(twin)).faults).toEqual([]);
});

test('reordered frames are the same in another order within their window', async () => {
  const orders: unknown[] = [];
  for (let run = 0; run < 2; run++) {
    const { control, inject, client } = await aPausedMarket();
    await control({ action: 'reorder', symbol: 'BNBUSDT', window: 4, count: 8 });
    await inject(trades(first, 10));
    const told = ids(await settled(client)).map((id) => Number(id) - first);
    expect(told.slice(0, 4)).not.toEqual([0, 1, 2, 3]);
    expect(told.slice(0, 4).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    expect(told.slice(4, 8)).not.toEqual([4, 5, 6, 7]);
    expect(told.slice(4, 8).toSorted((a, b) => a - b)).toEqual([4, 5, 6, 7]);
    expect(told.slice(8)).toEqual([8, 9]);
    orders.push(told);
  }
  expect(orders[0]).toEqual(orders[1]);
});

test('two frames always change places', async () => {
  const { control, inject, client } = await aPausedMarket();
  await control({ action: 'reorder', window: 2 });
  await inject(trades(first, 20));
  const expected = Array.from({ length: 20 }, (_, index) => first + (index ^ 1));
  expect(ids(await settled(client))).toEqual(expected);
});

test('a window that does not fill is sent after its time', async () => {
  const twin = await aPausedMarket();
  await twin.control({ action: 'reorder', window: 100, holdMs: 500 });
  await twin.inject(trades(first, 2));
  expect(await settled(twin.client)).toEqual([]);
  await pass(twin, 1);
  expect(ids(await settled(twin.client))).toEqual([first + 1, first]);
});

test('delayed frames are overtaken by others, and come when the delay is cleared', async () => {
  const twin = await aPausedMarket();
  const { control, inject, client } = twin;
  await control({ action: 'delay', stream: 'aggTrade', delayMs: 5_000, count: 2 });
  await inject(trades(first, 1));
  await pass(twin, 1);
  await inject(trades(first + 1, 2));
  expect(ids(await settled(client))).toEqual([first + 2]);
  await pass(twin, 4.2);
  expect(ids(await settled(client))).toEqual([first + 2, first]);
  await control({ action: 'clear' });
  expect(ids(await settled(client))).toEqual([first + 2, first, first + 1]);
});

test('a stall of one symbol leaves the others and the pings alone', async () => {
  const twin = await aSimulator();
  const client = await twin.connect('/stream?streams=btcusdt@bookTicker/ethusdt@bookTicker');
  await twin.control({ action: 'stall', symbol: 'BTCUSDT', durationMs: 30_000 });
  await pass(twin, 30);
  const silent = await settled(client);
  expect(new Set(ids(silent, 'stream'))).toEqual(new Set(['ethusdt@bookTicker']));
  expect(client.pings).toBe(1);
  await pass(twin, 1);
  expect(ids(await settled(client), 'stream')).toContain('btcusdt@bookTicker');
  expect((await stateOf(twin)).faults).toEqual([]);
});

test('a stall of all streams ends when it is cleared, and what it swallowed is lost', async () => {
  const twin = await aSimulator();
  const client = await twin.connect('/ws/btcusdt@aggTrade');
  await twin.control({ action: 'stall' });
  await pass(twin, 10);
  expect(await settled(client)).toEqual([]);
  await twin.control({ action: 'clear', kind: 'stall' });
  await pass(twin, 10);
  const swallowed = trueEvents('btcusdt@aggTrade', 10).length;
  expect(await settled(client)).toEqual(trueEvents('btcusdt@aggTrade', 20).slice(swallowed));
});

test('a stall of the open connections spares the ones that are opened later', async () => {
  const twin = await aSimulator();
  const before = await twin.connect('/ws/btcusdt@bookTicker');
  await twin.control({ action: 'stall', onlyOpen: true });
  const after = await twin.connect('/ws/btcusdt@bookTicker');
  await pass(twin, 2);
  expect((await settled(after)).length).toBeGreaterThan(10);
  expect(await settled(before)).toEqual([]);
});

test('altered events have other fields, and REST tells the true ones', async () => {
  const twin = await aPausedMarket();
  const change = { p: null, q: 2 };
  const alter = { action: 'alter', symbol: 'BNBUSDT', count: 1 };
  await twin.control({ ...alter, change, remove: ['l'], shiftMs: 86_400_000 });
  await twin.inject(trades(first, 2));
  const { l: _, ...rest } = aggTrade(first, { ...change, T: noon / 1000 + 86_400_000 });
  expect(await settled(twin.client)).toEqual([rest, aggTrade(first + 1)]);
  const path = `/api/v3/aggTrades?symbol=BNBUSDT&fromId=${first}&limit=1`;
  expect((await twin.get<Event[]>(path)).body).toMatchObject([{ p: '600.5', l: first }]);
});

test('a time is shifted in the unit that the client asked for', async () => {
  const twin = await aSimulator();
  const streams = 'streams=btcusdt@aggTrade&timeUnit=MICROSECOND';
  const client = await twin.connect(`/stream?${streams}`);
  await twin.control({ action: 'alter', shiftMs: -60_000 });
  await pass(twin, 5);
  const told = (await settled(client)).map(({ data }) => data as Event);
  const truth = trueEvents('btcusdt@aggTrade', 5).map(({ T }) => Number(T) - 60_000);
  expect(told.map(({ T }) => Math.floor(Number(T) / 1_000))).toEqual(truth);
});

test('an altered event can follow the true one: the same id with another body', async () => {
  const { control, inject, client } = await aPausedMarket();
  await control({ action: 'alter', count: 1, change: { p: '1' }, keep: true });
  await inject(trades(first, 2));
  const expected = [aggTrade(first), aggTrade(first, { p: '1' }), aggTrade(first + 1)];
  expect(await settled(client)).toEqual(expected);
});

test('book tickers are altered where that is asked for', async () => {
  const twin = await aSimulator();
  const client = await twin.connect('/ws/bnbusdt@bookTicker');
  const change = { b: '99999999', a: '1', B: '0' };
  await twin.control({ action: 'alter', stream: 'bookTicker', change });
  await pass(twin, 2);
  for (const ticker of await settled(client)) expect(ticker).toMatchObject(change);
});

test('faults are applied in the order of their beginning', async () => {
  const { control, inject, client } = await aPausedMarket();
  await control({ action: 'duplicate', count: 2 });
  await control({ action: 'alter', oneIn: 1, count: 3, change: { p: '1' } });
  await inject(trades(first, 2));
  expect(ids(await settled(client), 'p')).toEqual(['1', '1', '1', '600.5']);
});

test('sent frames come beside the random market, and REST does not know them', async () => {
  const twin = await aSimulator();
  const client = await twin.connect('/ws/bnbusdt@aggTrade');
  await pass(twin, 20);
  const odd = [aggTrade(first, { T: 0 }), aggTrade(first + 1, { T: noon / 1000 + 86_400_000 })];
  const { body } = await twin.control({ action: 'send', symbol: 'BNBUSDT', frames: odd });
  expect(body).toEqual({ symbol: 'BNBUSDT', frames: 2, delivered: 2 });
  await pass(twin, 20);
  const market = trueEvents('bnbusdt@aggTrade', 40);
  const count = trueEvents('bnbusdt@aggTrade', 20).length;
  const expected = [...market.slice(0, count), ...odd, ...market.slice(count)];
  expect(await settled(client)).toEqual(expected);
  expect(eventsOf(client)).toHaveLength(market.length + 2);
  const [last] = (await twin.get<Event[]>('/api/v3/aggTrades?symbol=BNBUSDT&limit=1')).body;
  expect(last?.['a']).toBe(market.at(-1)?.['a']);
  expect(await stateOf(twin)).toMatchObject({ paused: [], faults: [] });
});
