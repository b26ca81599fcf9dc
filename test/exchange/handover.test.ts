import { describe, expect, test } from 'vitest';
import { Market } from '../../src/market/market.ts';
import type { MarketUpdate } from '../../src/market/market-update.ts';
import { aBookTickerPayload } from '../support/binance-frames.ts';
import { noon } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { openStreams } from '../support/streaming-feed.ts';

const shutdowns: readonly (readonly [string, object])[] = [
  ['a raw serverShutdown', { e: 'serverShutdown', E: 1 }],
  ['a combined serverShutdown', { stream: '!serverShutdown', data: { e: 'serverShutdown', E: 1 } }],
];

describe.each(shutdowns)('at %s', (_name, frame) => {
  test('the next connection is opened at once and takes over when it delivers', async () => {
    await using setup = await openStreams();
    const { twin, streams, trade, advance, events, types, feed } = setup;
    trade();
    await setup.untilEvents('trade');
    twin.send(frame);
    await eventually(() => streams.connections === 2 && twin.sockets.size === 2);
    await setup.settle();
    expect(types()).not.toContain('connectionLost');
    // As long as the successor has shown nothing, the old one stays.
    await advance(5000);
    expect(twin.sockets.size).toBe(2);
    trade();
    await advance(1000);
    await eventually(() => types().includes('connectionLost'));
    await advance(1000);
    await eventually(() => twin.sockets.size === 1);
    // What the successor delivered before is told as its own.
    expect(events.slice(-3)).toMatchObject([
      { type: 'connectionOpened', connection: 'sim-binance-1.2' },
      { type: 'trade' },
      { type: 'connectionLost', connection: 'sim-binance-1.1', reason: 'Its successor delivers' },
    ]);
    expect(feed.status()).toMatchObject({ state: 'open', counters: { reconnects: 1 } });
    trade();
    await eventually(() => types().at(-1) === 'trade');
  });
});

test('what is still on the way on the old connection comes, too, and then it is dropped', async () => {
  await using setup = await openStreams();
  const { twin, streams, advance, events, feed } = setup;
  twin.send({ e: 'serverShutdown', E: 1 });
  await eventually(() => streams.connections === 2 && twin.sockets.size === 2);
  await setup.settle();
  const [old, successor] = [...twin.sockets];
  const ticker = (u: number) =>
    JSON.stringify({ stream: 'btcusdt@bookTicker', data: aBookTickerPayload({ u }) });
  const { frames } = feed.status().counters;
  successor?.send(ticker(2));
  await eventually(() => feed.status().counters.frames > frames);
  // It is no sign that the one in charge delivers.
  expect(setup.types()).not.toContain('bookTicker');
  await advance(500);
  await eventually(() => setup.types().includes('connectionLost'));
  old?.send(ticker(1));
  await setup.untilEvents('bookTicker', 2);
  expect(events.at(-1)).toMatchObject({ type: 'bookTicker', updateId: 1 });
  await advance(1000);
  await eventually(() => twin.sockets.size === 1);
});

test('no trade is lost or counted twice, and no candle is flagged, when a day is over', async () => {
  const updates: MarketUpdate[] = [];
  await using setup = await openStreams({
    settings: { replaceAfterMs: 60_000, replaceJitterMs: 0 },
  });
  const { events, trade, advance, twin, streams } = setup;
  await advance(65_000, () => trade());
  await eventually(() => streams.connections === 2 && twin.sockets.size === 1);
  await advance(10_000, () => trade());
  const market = new Market({ run: 1, publish: (update) => updates.push(update) });
  for (const event of events) market.handle(event);

  expect(events.filter(({ type }) => type === 'connectionLost')).toHaveLength(1);
  const ids = updates.flatMap((update) => (update.type === 'trade' ? [update.id] : []));
  expect(ids).toEqual(Array.from({ length: 150 }, (_, index) => index + 1));
  expect(market.counters.duplicateTrades).toBeGreaterThan(0);
  const closed = updates.flatMap((update) =>
    update.type === 'candle' && update.candle.isClosed && update.candle.timeframe === '1s'
      ? [update.candle]
      : [],
  );
  expect(closed.length).toBeGreaterThan(70);
  expect(closed.every(({ isComplete }) => isComplete)).toBe(true);
});

test('connections are replaced at 23 hours, each at a time of its own', async () => {
  const random = [0, 0.75];
  await using setup = await openStreams({
    symbols: ['BTCUSDT', 'ETHUSDT'],
    settings: { symbolsPerConnection: 1, tickMs: 60_000, silenceTimeoutMs: 1e9 },
    random: () => random.shift() ?? 0.5,
  });
  const { clock, streams } = setup;
  const opened: number[] = [];
  for (let minute = 0; minute < 24 * 60; minute++) {
    await clock.advance(60_000);
    await setup.settle();
    await eventually(() => streams.connections === setup.twin.upgrades.length);
    if (streams.connections > 2 + opened.length) opened.push(minute + 1);
  }
  expect(opened).toEqual([23 * 60 - 15, 23 * 60 + 8]);
});

test('where the next connection cannot be opened, the old one stays until it is cut', async () => {
  await using setup = await openStreams();
  const { twin, streams, trade, advance, types, feed } = setup;
  twin.refusal = { status: 503 };
  twin.send({ e: 'serverShutdown', E: 1 });
  await advance(60_000, () => trade());
  await eventually(() => twin.upgrades.length > 3);
  expect(types()).not.toContain('connectionLost');
  expect(feed.status().state).toBe('open');
  twin.refusal = undefined;
  await eventually(async () => {
    trade();
    await setup.advance(500);
    return streams.connections === 2 && twin.sockets.size === 1;
  });
  expect(types().filter((type) => type === 'connectionLost')).toHaveLength(1);
});

test('a successor that is refused for good reason holds all others back, too', async () => {
  await using setup = await openStreams();
  const { twin, trade, advance, feed } = setup;
  twin.refusal = { status: 418, headers: { 'Retry-After': '600' } };
  twin.send({ e: 'serverShutdown', E: 1 });
  await eventually(() => twin.upgrades.length === 2);
  await advance(10_000, () => trade());
  twin.cut();
  await setup.untilState('refused');
  await advance(500_000);
  expect(twin.upgrades).toHaveLength(2);
  expect(feed.status().reason).toContain('HTTP 418');
});

test('a successor that is on its way takes over when the old one is cut, as a new beginning', async () => {
  await using setup = await openStreams();
  const { twin, streams, trade, events, types } = setup;
  trade();
  await setup.untilEvents('trade');
  twin.send({ e: 'serverShutdown', E: 1 });
  await eventually(() => streams.connections === 2);
  await setup.settle();
  streams.socket(0)?.terminate();
  await setup.untilEvents('connectionOpened', 2);
  expect(types().filter((type) => type.startsWith('connection'))).toEqual([
    'connectionOpened',
    'connectionLost',
    'connectionOpened',
  ]);
  expect(events.at(-1)).toMatchObject({ connection: 'sim-binance-1.2' });
  expect(twin.upgrades).toHaveLength(2);
});

test('a successor that delivers nothing while the old one does is dropped, and another one is tried', async () => {
  await using setup = await openStreams();
  const { twin, streams, trade, advance, types, events } = setup;
  twin.send({ e: 'serverShutdown', E: 1 });
  await eventually(() => streams.connections === 2);
  streams.kill('btcusdt@aggTrade', 1);
  await advance(29_000, () => trade());
  expect(types()).not.toContain('connectionLost');
  expect(streams.connections).toBe(2);
  await advance(5000, () => trade());
  await eventually(async () => {
    await advance(500, () => trade());
    return streams.connections === 3 && twin.sockets.size === 1;
  });
  expect(events.filter(({ type }) => type.startsWith('connection'))).toMatchObject([
    { type: 'connectionOpened', connection: 'sim-binance-1.1' },
    { type: 'connectionOpened', connection: 'sim-binance-1.3' },
    { type: 'connectionLost', connection: 'sim-binance-1.1' },
  ]);
});

test('in a market without any trade a successor takes over when it has been checked', async () => {
  await using setup = await openStreams();
  const { twin, streams, advance, types } = setup;
  twin.send({ e: 'serverShutdown', E: 1 });
  await eventually(() => streams.connections === 2);
  await advance(29_000);
  expect(twin.sockets.size).toBe(2);
  await advance(2000);
  await eventually(() => twin.sockets.size === 1);
  expect(types().filter((type) => type === 'connectionLost')).toHaveLength(1);
});

test('there are never more than two connections, however often the exchange says that it shuts down', async () => {
  await using setup = await openStreams();
  const { twin, streams, advance } = setup;
  let most = 0;
  await advance(60_000, () => {
    twin.send({ e: 'serverShutdown', E: 1 });
    streams.publish(aBookTickerPayload({ u: setup.clock.now() - noon }));
    most = Math.max(most, twin.sockets.size);
  });
  expect(most).toBe(2);
  await setup.feed[Symbol.asyncDispose]();
  await eventually(() => twin.sockets.size === 0);
  expect(setup.clock.pendingTimers).toBe(0);
});
