import { expect, test } from 'vitest';
import { TwinClock } from '../support/twin-clock.ts';
import { aSimulator, noon } from './a-simulator.ts';

type AggTrade = { readonly a: number; readonly T: number };

test.each([
  ['/api/v3/klines?interval=1m', 400, -1102, "'symbol' was not sent"],
  ['/api/v3/klines?symbol=&interval=1m', 400, -1102, "'symbol' was not sent"],
  ['/api/v3/klines?symbol=btcusdt&interval=1m', 400, -1121, 'Invalid symbol.'],
  ['/api/v3/klines?symbol=BTC%2FUSDT&interval=1m', 400, -1121, 'Invalid symbol.'],
  ['/api/v3/klines?symbol=BTCUSDT', 400, -1102, "'interval' was not sent"],
  ['/api/v3/klines?symbol=BTCUSDT&interval=7m', 400, -1120, 'Invalid interval.'],
  ['/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=x', 400, -1100, "parameter 'limit'"],
  ['/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=0', 400, -1130, "parameter 'limit'"],
  ['/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=-5', 400, -1100, "'startTime'"],
  ['/api/v3/klines?symbol=BTCUSDT&interval=1m&endTime=', 400, -1105, "'endTime' was empty"],
  ['/api/v3/aggTrades?symbol=BTCUSDT&fromId=1.5', 400, -1100, "'fromId'"],
  ['/api/v3/aggTrades?symbol=BTCUSDT&fromId=1&startTime=1', 400, -1128, 'Combination'],
  ['/api/v3/depth?symbol=%00', 400, -1121, 'Invalid symbol.'],
  ['/api/v3/exchangeInfo?symbols=BTCUSDT', 400, -1100, "'symbols'"],
  ['/api/v3/exchangeInfo?symbols=["BTCUSDT","b"]', 400, -1121, 'Invalid symbol.'],
  ['/api/v3/exchangeInfo?symbol=BTCUSDT&symbols=["BTCUSDT"]', 400, -1128, 'Combination'],
  ['/api/v3/ticker/bookTicker?symbols=[]', 400, -1102, "'symbols'"],
  ['/api/v3/nothing', 404, -1000, 'No such path.'],
])('%s is answered %d %d', async (path, status, code, message) => {
  const { get } = await aSimulator();
  const answer = await get(path);
  expect(answer.status).toBe(status);
  expect(answer.body).toEqual({ code, msg: expect.stringContaining(message) });
});

test('numbers beyond all history are answered, not failed', async () => {
  const { get } = await aSimulator();
  for (const rest of ['fromId=99999999999999999999', 'startTime=99999999999999999999']) {
    expect((await get(`/api/v3/aggTrades?symbol=BTCUSDT&${rest}`)).body).toEqual([]);
  }
  const path = '/api/v3/klines?symbol=BTCUSDT&interval=1M&startTime=99999999999999999999';
  expect((await get(path)).body).toEqual([]);
  const all = '/api/v3/klines?symbol=BTCUSDT&interval=1M&endTime=99999999999999999999&limit=1';
  expect((await get(all)).body).toHaveLength(1);
});

test('trades are answered by id and by time, both ends included', async () => {
  const { get } = await aSimulator();
  const trades = async (rest: string) =>
    (await get<AggTrade[]>(`/api/v3/aggTrades?symbol=SOLUSDT${rest}`)).body;
  const last = await trades('');
  expect(last).toHaveLength(500);
  expect(await trades('&limit=5000')).toHaveLength(1000);
  const middle = last[200];
  const end = last[300];
  if (middle === undefined || end === undefined) throw new Error('expected 500 trades');
  expect(await trades(`&fromId=${middle.a}&limit=50`)).toEqual(last.slice(200, 250));
  expect(await trades(`&fromId=${(last.at(-1)?.a ?? 0) + 1}`)).toEqual([]);
  const inRange = last.filter(({ T }) => T >= middle.T && T <= end.T);
  expect(await trades(`&startTime=${middle.T}&endTime=${end.T}`)).toEqual(inRange);
  expect(await trades(`&startTime=${middle.T}&limit=3`)).toEqual(inRange.slice(0, 3));
  expect(await trades(`&endTime=${end.T}&limit=3`)).toEqual(inRange.slice(-3));
});

test('nothing is shown that has not been sent yet', async () => {
  const { get, clock } = await aSimulator();
  const path = '/api/v3/aggTrades?symbol=BTCUSDT&limit=1000';
  const before = (await get<AggTrade[]>(path)).body;
  expect(before.at(-1)?.T).toBeLessThanOrEqual(noon / 1000);
  clock.moveTo(noon + 5_000_000);
  const after = (await get<AggTrade[]>(path)).body;
  const next = after.filter(({ a }) => a > (before.at(-1)?.a ?? 0));
  expect(next[0]?.a).toBe((before.at(-1)?.a ?? 0) + 1);
  expect(next.length).toBeGreaterThan(10);
});

test('another simulator of the same seed answers the same, at any later time', async () => {
  const paths = [
    '/api/v3/aggTrades?symbol=DOGEUSDT&fromId=200000000&limit=5',
    `/api/v3/aggTrades?symbol=XYZUSDT&startTime=${noon / 1000 - 60_000}&endTime=${noon / 1000 - 100}`,
    `/api/v3/klines?symbol=TONUSDT&interval=4h&endTime=${noon / 1000 - 14_400_000}&limit=7`,
  ];
  const first = await aSimulator();
  const second = await aSimulator({}, new TwinClock(noon + 3_600_000_000));
  for (const path of paths) {
    const { body } = await first.get<unknown[]>(path);
    expect(body.length).toBeGreaterThan(0);
    expect((await second.get(path)).body).toEqual(body);
  }
});

test('depth begins with the book ticker and shares its update id', async () => {
  const { get, connect, clock } = await aSimulator();
  const client = await connect('/ws/bnbusdt@bookTicker');
  await clock.advance(2_000, 100);
  const { body: depth } = await get<{
    lastUpdateId: number;
    bids: [string, string][];
    asks: [string, string][];
  }>('/api/v3/depth?symbol=BNBUSDT&limit=5');
  const { body: ticker } = await get('/api/v3/ticker/bookTicker?symbol=BNBUSDT');
  const [bid, ask] = [depth.bids[0], depth.asks[0]];
  expect(ticker).toEqual({
    symbol: 'BNBUSDT',
    bidPrice: bid?.[0],
    bidQty: bid?.[1],
    askPrice: ask?.[0],
    askQty: ask?.[1],
  });
  expect(depth.bids).toHaveLength(5);
  const prices = depth.asks.map(([price]) => price);
  expect(prices).toEqual(prices.toSorted((a, b) => Number(a) - Number(b)));
  const sent = client.messages.map((text): unknown => JSON.parse(text));
  expect(sent.at(-1)).toMatchObject({ u: depth.lastUpdateId, b: bid?.[0], A: ask?.[1] });
});

test('exchangeInfo lists the configured symbols, or those asked for, with their filters', async () => {
  const { get } = await aSimulator({ symbols: ['LTCBTC', 'PEPEUSDT'] });
  type Info = { symbols: { symbol: string; status: string; filters: object[] }[] };
  const { body } = await get<Info>('/api/v3/exchangeInfo');
  expect(body.symbols.map(({ symbol }) => symbol)).toEqual(['LTCBTC', 'PEPEUSDT']);
  expect(body.symbols[1]).toMatchObject({ status: 'TRADING', baseAsset: 'PEPE' });
  expect(body.symbols[1]?.filters).toMatchObject([
    { filterType: 'PRICE_FILTER', tickSize: '0.00000001' },
    { filterType: 'LOT_SIZE', stepSize: '1.00000000' },
    { filterType: 'NOTIONAL', minNotional: '5.00000000' },
  ]);
  const list = encodeURIComponent('["这是测试币456","ABCBTC"]');
  const { body: asked } = await get<Info>(`/api/v3/exchangeInfo?symbols=${list}`);
  expect(asked.symbols.map(({ symbol }) => symbol)).toEqual(['这是测试币456', 'ABCBTC']);
});

test('ping and time answer, time in the unit asked for', async () => {
  const { get } = await aSimulator();
  expect((await get('/api/v3/ping')).body).toEqual({});
  expect((await get('/api/v3/time')).body).toEqual({ serverTime: noon / 1000 });
  const { body } = await get('/api/v3/time', { 'X-MBX-TIME-UNIT': 'microsecond' });
  expect(body).toEqual({ serverTime: noon });
});

test('request weight is counted by the minute and refused beyond its limit', async () => {
  const { get, clock } = await aSimulator({ requestWeight: 5 });
  const used = async () => {
    const { status, headers } = await get('/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1');
    return [status, headers.get('x-mbx-used-weight-1m'), headers.get('retry-after')];
  };
  expect(await used()).toEqual([200, '2', null]);
  expect(await used()).toEqual([200, '4', null]);
  expect(await used()).toEqual([429, null, '53']);
  clock.moveTo(noon + 53_000_000);
  expect(await used()).toEqual([200, '2', null]);
});
