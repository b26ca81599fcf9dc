import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { aSimulator, noon } from './a-simulator.ts';
import type { Client, SimulatorTwin } from './a-simulator.ts';

type Event = Readonly<Record<string, unknown>>;

const eventsOf = (client: Client): Event[] =>
  client.messages.map((text) => JSON.parse(text) as Event);

/** The worked example of the earlier systems: SELL 25 BNBUSDT at 42 or better. */
const tickers = [
  { u: 400900217, s: 'BNBUSDT', b: '40.0', B: '10.0', a: '41.0', A: '10' },
  { u: 400900223, s: 'BNBUSDT', b: '42.0', B: '5.0', a: '43.0', A: '10' },
  { u: 400900235, s: 'BNBUSDT', b: '42.5', B: '30.0', a: '43.0', A: '10' },
];

const lastTrades = async ({ get }: SimulatorTwin, symbol: string, limit = 500) =>
  (await get<Event[]>(`/api/v3/aggTrades?symbol=${symbol}&limit=${limit}`)).body;

/** An aggTrade that follows the last one on the tape by `step` ids. */
async function nextTrade(twin: SimulatorTwin, symbol: string, step = 1, time = noon / 1000) {
  const [last] = await lastTrades(twin, symbol, 1);
  const [a, f] = [Number(last?.['a']) + step, Number(last?.['l']) + step];
  const ids = { a, f, l: f };
  return {
    e: 'aggTrade',
    E: time,
    s: symbol,
    p: '600.5',
    q: '2',
    ...ids,
    T: time,
    m: false,
    M: true,
  };
}

test('injected frames are sent just as they are, and nothing else of that symbol', async () => {
  const { connect, control, clock } = await aSimulator();
  const raw = await connect('/ws/bnbusdt@bookTicker/bnbusdt@aggTrade');
  const combined = await connect('/stream?streams=bnbusdt@bookTicker/btcusdt@bookTicker');
  await clock.advance(1_000, 100);
  await eventually(() => raw.messages.length > 2);
  const answer = await control({ action: 'inject', symbol: 'BNBUSDT', frames: tickers });
  expect(answer.body).toEqual({ symbol: 'BNBUSDT', paused: true, frames: 3, delivered: 6 });
  await clock.advance(10_000, 100);
  await eventually(() => combined.messages.length > 200);
  await eventually(() => {
    expect(raw.messages.slice(-3)).toEqual(tickers.map((ticker) => JSON.stringify(ticker)));
  });
  const wrapped = eventsOf(combined).filter(({ stream }) => stream === 'bnbusdt@bookTicker');
  expect(wrapped.slice(-3)).toEqual(
    tickers.map((data) => ({ stream: 'bnbusdt@bookTicker', data })),
  );
});

test('what is paused is shown, and goes on when it is resumed', async () => {
  const { get, control, connect, clock } = await aSimulator();
  await control({ action: 'inject', symbol: 'BNBUSDT', frames: tickers });
  expect((await get('/control')).body).toMatchObject({ paused: ['BNBUSDT'] });
  const client = await connect('/ws/bnbusdt@bookTicker/bnbusdt@aggTrade');
  await clock.advance(5_000, 100);
  const answer = await control({ action: 'resume', symbol: 'BNBUSDT' });
  expect(answer.body).toEqual({ symbol: 'BNBUSDT', paused: false });
  expect((await get('/control')).body).toMatchObject({ paused: [] });
  expect(client.messages).toEqual([]);
  await clock.advance(5_000, 100);
  await eventually(() => client.messages.length > 10);
});

test('REST shows the injected book, and after the pause one with a higher update id', async () => {
  const { get, control, clock } = await aSimulator();
  const depth = async () =>
    (await get<{ lastUpdateId: number; bids: string[][] }>('/api/v3/depth?symbol=BNBUSDT&limit=3'))
      .body;
  await control({ action: 'inject', symbol: 'BNBUSDT', frames: tickers });
  clock.moveTo(noon + 60_000_000);
  expect(await depth()).toMatchObject({
    lastUpdateId: 400900235,
    bids: [
      ['42.5', '30.0'],
      ['42.49000000', expect.any(String)],
      ['42.48000000', expect.any(String)],
    ],
  });
  expect((await get('/api/v3/ticker/bookTicker?symbol=BNBUSDT')).body).toMatchObject({
    bidPrice: '42.5',
    askQty: '10',
  });
  await control({ action: 'resume', symbol: 'BNBUSDT' });
  expect((await depth()).lastUpdateId).toBe(400900235);
  clock.moveTo(noon + 62_000_000);
  const { lastUpdateId, bids } = await depth();
  expect(lastUpdateId).toBeGreaterThan(400900235);
  expect(Number(bids[0]?.[0])).toBeGreaterThan(400);
});

test('injected trades follow on the tape, and the ids go on after them without a hole', async () => {
  const twin = await aSimulator();
  const { control, clock, connect } = twin;
  const client = await connect('/ws/bnbusdt@aggTrade');
  const frames = [await nextTrade(twin, 'BNBUSDT'), await nextTrade(twin, 'BNBUSDT', 2)];
  await control({ action: 'inject', symbol: 'BNBUSDT', frames });
  expect(await lastTrades(twin, 'BNBUSDT', 2)).toEqual(
    frames.map(({ e: _e, E: _E, s: _s, ...trade }) => trade),
  );
  clock.moveTo(noon + 60_000_000);
  await control({ action: 'resume', symbol: 'BNBUSDT' });
  clock.moveTo(noon + 90_000_000);
  const trades = await lastTrades(twin, 'BNBUSDT');
  for (const [index, trade] of trades.entries()) {
    const before = trades[index - 1];
    if (before === undefined) continue;
    expect(trade['a']).toBe(Number(before['a']) + 1);
    expect(trade['f']).toBe(Number(before['l']) + 1);
  }
  const told = trades.filter(({ a }) => Number(a) >= (frames[0]?.a ?? 0));
  await eventually(() => expect(client.messages).toHaveLength(told.length));
  expect(eventsOf(client).map(({ a }) => a)).toEqual(told.map(({ a }) => a));
  // By id, across the pause.
  const path = `/api/v3/aggTrades?symbol=BNBUSDT&fromId=${Number(told[0]?.['a']) - 3}&limit=10`;
  const { body } = await twin.get<Event[]>(path);
  expect(body.slice(3)).toEqual(told.slice(0, 7));
});

test('klines hold the injected trades and not the paused ones', async () => {
  const twin = await aSimulator();
  const { control, clock, get } = twin;
  const kline = async (interval: string, time = noon / 1000) => {
    const path = `/api/v3/klines?symbol=BNBUSDT&interval=${interval}&limit=1&endTime=${time}`;
    return (await get<(string | number)[][]>(path)).body[0] ?? [];
  };
  await control({ action: 'inject', symbol: 'BNBUSDT', frames: [] });
  const before = await kline('1m');
  clock.moveTo(noon + 10_000_000);
  expect(await kline('1m')).toEqual(before);
  const time = noon / 1000 + 9_000;
  const trade = await nextTrade(twin, 'BNBUSDT', 1, time);
  const frames = [
    { ...trade, p: '1000', l: trade.f + 2 },
    { ...trade, a: trade.a + 1, f: trade.f + 3, l: trade.f + 3, p: '900', m: true },
  ];
  await control({ action: 'inject', symbol: 'BNBUSDT', frames });
  const second = await kline('1s', time);
  expect(second.slice(1, 6)).toEqual(
    ['1000', '1000', '900', '900', '4'].map((text) => `${text}.00000000`),
  );
  expect(second.slice(7, 11)).toEqual(['3800.00000000', 4, '2.00000000', '2000.00000000']);
  const after = await kline('1m');
  expect(after[2]).toBe('1000.00000000');
  expect(after[4]).toBe('900.00000000');
  expect(after[8]).toBe(Number(before[8]) + 4);
  expect(Number(after[5])).toBeCloseTo(Number(before[5]) + 4, 6);
  const month = await kline('1M');
  expect(month[2]).toBe('1000.00000000');
  const later = await kline('1s', time + 1_000);
  expect(later.slice(1, 5)).toEqual(Array.from({ length: 4 }, () => '900.00000000'));
});

test('a trade that is injected late counts where its time is, and a repeat counts once', async () => {
  const twin = await aSimulator();
  const { control, get } = twin;
  const minute = Math.floor(noon / 60_000_000) * 60_000 - 60_000;
  const path = `/api/v3/klines?symbol=BNBUSDT&interval=1m&startTime=${minute}&limit=2`;
  const before = (await get<(string | number)[][]>(path)).body;
  const late = await nextTrade(twin, 'BNBUSDT', 1, minute + 59_999);
  const [known] = await lastTrades(twin, 'BNBUSDT', 1);
  const repeat = { ...known, e: 'aggTrade', s: 'BNBUSDT', E: minute };
  await control({ action: 'inject', symbol: 'BNBUSDT', frames: [late, late, repeat] });
  const after = (await get<(string | number)[][]>(path)).body;
  expect(after[1]).toEqual(before[1]);
  expect(after[0]?.[4]).toBe('600.50000000');
  expect(after[0]?.[8]).toBe(Number(before[0]?.[8]) + 1);
});

test('broken payloads are sent as they are and mean nothing to REST', async () => {
  const twin = await aSimulator();
  const client = await twin.connect('/stream?streams=bnbusdt@bookTicker/bnbusdt@aggTrade');
  const before = await lastTrades(twin, 'BNBUSDT', 1);
  const frames = ['{"e":"aggTrade","a":1e400', '{"e":"aggTrade","p":"NaN"}', { e: 'strange' }];
  await twin.control({ action: 'inject', symbol: 'BNBUSDT', frames });
  await eventually(() => client.messages.length === 3);
  expect(client.messages).toEqual([
    '{"stream":"bnbusdt@aggTrade","data":{"e":"aggTrade","a":1e400}',
    '{"stream":"bnbusdt@aggTrade","data":{"e":"aggTrade","p":"NaN"}}',
    '{"stream":"bnbusdt@aggTrade","data":{"e":"strange"}}',
  ]);
  expect(await lastTrades(twin, 'BNBUSDT', 1)).toEqual(before);
});

test('pausing twice and resuming twice is pausing and resuming', async () => {
  const twin = await aSimulator();
  for (const action of ['inject', 'inject', 'resume', 'resume']) {
    const frames = action === 'inject' ? { frames: [] } : {};
    const answer = await twin.control({ action, symbol: 'TONUSDT', ...frames });
    expect(answer.status).toBe(200);
  }
  twin.clock.moveTo(noon + 300_000_000);
  const ids = (await lastTrades(twin, 'TONUSDT', 300)).map(({ a }) => Number(a));
  expect(ids).toEqual(ids.map((_, index) => (ids[0] ?? 0) + index));
});

test.each([
  ['not json', 'body: expected JSON'],
  ['[]', 'body: expected an object'],
  [{}, 'action: expected one of inject, resume, '],
  [{ action: 'explode', symbol: 'BNBUSDT' }, 'got "explode"'],
  [{ action: 'inject', frames: [] }, 'symbol: expected a symbol'],
  [{ action: 'inject', symbol: 'bnbusdt', frames: [] }, 'symbol: expected a symbol in upper case'],
  [{ action: 'inject', symbol: 'BNBUSDT' }, 'frames: expected a list'],
  [{ action: 'inject', symbol: 'BNBUSDT', frames: [1] }, 'frames[0]: expected an object or'],
  [{ action: 'inject', symbol: 'BNBUSDT', frames: ['', null] }, 'frames[1]: expected an object'],
  [{ action: 'resume', symbol: 7 }, 'symbol: expected a symbol in upper case like BNBUSDT, got 7'],
])('control refuses %j', async (body, message) => {
  const { control, get } = await aSimulator();
  const answer = await control(body);
  expect(answer.status).toBe(400);
  expect(answer.body).toEqual({ error: expect.stringContaining(message) });
  expect((await get('/control')).body).toMatchObject({ paused: [] });
});

test('a control body that is too large or of another method is refused', async () => {
  const { control, simulator } = await aSimulator();
  const answer = await control(JSON.stringify({ action: 'x'.repeat(5_000_000) }));
  expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining('body:') } });
  const response = await fetch(`${simulator.url}/control`, { method: 'DELETE' });
  expect(response.status).toBe(405);
});
