import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { expectWhole } from './expectations.ts';
import { aFaultyLine } from './faulty-line.ts';
import type { FaultyLine } from './faulty-line.ts';

const untilActed = (line: FaultyLine, action: string, count: number) =>
  eventually(async () => expect(await line.acted(action)).toBeGreaterThanOrEqual(count));

test.each<[what: string, action: string, fields: object]>([
  ['more fields', 'alter', { change: { zz: [1, { y: null }], X: 'new' }, count: 50 }],
  ['another M', 'alter', { change: { M: false }, count: 50 }],
  ['an unknown event', 'send', { frames: [{ e: 'liquidation', s: 'BTCUSDT', E: 1 }] }],
  ['another symbol', 'send', { frames: [{ e: 'aggTrade', s: 'XRPUSDT', E: 1, a: 1 }] }],
])('F19 %s in the stream are ignored, and the feed goes on', async (_, action, fields) => {
  const line = await aFaultyLine({ speed: 12 });
  await line.control(action, { symbol: 'BTCUSDT', ...fields });
  await line.passed(5000);
  await expectWhole(line);
  expect(line.streams.gapsOf('BTCUSDT')).toEqual([]);
  expect(line.proxy.connects).toBe(1);
  expect(await line.metric('tradewind_feed_bad_frames_total')).toBe(0);
});

describe('F20 a trade that cannot be read is put aside, and its true one asked for:', () => {
  test.each<[what: string, fault: object]>([
    ['without a price', { remove: ['p'] }],
    ['without an id', { remove: ['a'] }],
    ['with a price of null', { change: { p: null } }],
    ['with a price that is a number', { change: { p: 61837.5 } }],
    ['with an empty quantity', { change: { q: '' } }],
    ['with a side that is text', { change: { m: 'true' } }],
    ['with a price of NaN', { change: { p: 'NaN' } }],
  ])('%s', async (_, fault) => {
    const line = await aFaultyLine();
    await line.control('alter', { symbol: 'BTCUSDT', count: 5, ...fault });
    await untilActed(line, 'alter', 5);
    await line.passed(2000);
    await expectWhole(line);
    expect(await line.metric('tradewind_feed_bad_frames_total')).toBe(5);
    expect(line.proxy.connects).toBe(1);
  });
});

const rubbish = ['{"e":', 'no json', '', '\uFEFF{}', '{}{}', '[]', { binary: 'AAEC' }];

test('F21 what nobody can read is counted and dropped, and the connection stays', async () => {
  const line = await aFaultyLine({ speed: 12 });
  await line.control('garbage', { symbol: 'BTCUSDT', frames: rubbish });
  await line.passed(3000);
  await expectWhole(line);
  expect(line.streams.gapsOf('BTCUSDT')).toEqual([]);
  expect(line.proxy.connects).toBe(1);
  expect(await line.metric('tradewind_feed_bad_frames_total')).toBe(rubbish.length);
});

test('F21 a connection on which most cannot be read is left for another one', async () => {
  const line = await aFaultyLine();
  await line.control('garbage', { frames: Array.from({ length: 20 }, () => rubbish).flat() });
  await line.connected(2);
  await line.passed(2000);
  await expectWhole(line);
  expect(line.proxy.connects).toBe(2);
});

test.each<[what: string, frame: object]>([
  ['of 100 MB', { bytes: 100_000_000 }],
  ['of a million fragments', { fragments: 1_000_000 }],
  // RSV1 says that it is compressed, which was not agreed upon: a bomb is not even opened.
  ['that is compressed', { raw: Buffer.from([0xc1, 4, 1, 2, 3, 4]).toString('base64') }],
])('F22 a frame %s ends its connection, and costs nothing more', async (_, frame) => {
  const line = await aFaultyLine({ speed: 10 });
  const before = process.memoryUsage().rss;
  await line.control('garbage', { frames: [frame] });
  await line.connected(2);
  await line.passed(2000);
  await expectWhole(line);
  expect(line.proxy.connects).toBe(2);
  // The frame itself is in this process as well, twice: made by the simulator and passed on.
  expect(process.memoryUsage().rss - before).toBeLessThan(600_000_000);
});

test.each<[what: string, change: object]>([
  ['F23 a crossed book', { b: '70000.00', a: '60000.00' }],
  ['F23 a book without a bid', { b: '0.00000000', B: '0.00000000' }],
  ['F24 a book whose update id goes backwards', { u: 1 }],
])('%s changes no candle, and tickers come in order', async (_, change) => {
  const line = await aFaultyLine({ speed: 10 });
  const ids: bigint[] = [];
  const closing = new AbortController();
  const request = { instruments: ['sim-binance:BTCUSDT'] };
  const reading = (async () => {
    const stream = line.client.streamBookTickers(request, { signal: closing.signal });
    for await (const { event } of stream) {
      if (event.case === 'bookTicker') ids.push(event.value.updateId);
    }
  })().catch(() => {});
  await line.control('alter', { symbol: 'BTCUSDT', stream: 'bookTicker', count: 50, change });
  await untilActed(line, 'alter', 50);
  const seen = ids.length;
  await eventually(() => ids.length > seen + 20);
  await expectWhole(line);
  closing.abort();
  await reading;
  expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => Number(a - b)));
  expect(line.streams.gapsOf('BTCUSDT')).toEqual([]);
});

test('F26 a burst of 50,000 frames delays, and loses nothing', async () => {
  const line = await aFaultyLine({ speed: 5 });
  await line.control('duplicate', { symbol: 'BTCUSDT', count: 50, copies: 1000 });
  await untilActed(line, 'duplicate', 50);
  await line.passed(1000);
  await expectWhole(line);
  expect(await line.metric('tradewind_feed_frames_total')).toBeGreaterThan(50_000);
  expect(line.proxy.connects).toBe(1);
  await line.isWell();
});

test('F27 subscribers are told of a halt, and the flat candles of it are true', async () => {
  const line = await aFaultyLine({ symbols: ['BTCUSDT', 'ETHUSDT'], speed: 40 });
  await line.passed(60_000);
  await line.control('inject', { symbol: 'ETHUSDT', frames: [] });
  await line.control('symbolStatus', { symbol: 'ETHUSDT', status: 'HALT' });
  await line.control('cut');
  await line.tells('ETHUSDT', 'STALE', /halted/u);
  await line.tells('BTCUSDT', 'LIVE');
  await line.passed(5000);
  await expectWhole(line);
});
