import { expect, onTestFinished, test } from 'vitest';
import { silentLogger } from '../../../src/base/logger.ts';
import { lacksQuantities } from '../../../src/domain/candle.ts';
import type { MarketEvent } from '../../../src/domain/market-event.ts';
import { openTcpFeed } from '../../../src/exchange/json-lines/tcp-feed.ts';
import type { TcpFeedOptions } from '../../../src/exchange/json-lines/tcp-feed.ts';
import { Market } from '../../../src/market/market.ts';
import type { MarketUpdate } from '../../../src/market/market-update.ts';
import { eventually } from '../../support/eventually.ts';
import { inShort } from '../../support/market-tape.ts';
import { TwinClock } from '../../support/twin-clock.ts';
import { aPriceLine, TwinJsonLines } from '../../support/twin-json-lines.ts';
import { noon } from '../../support/builders.ts';

async function aFollowedTwin(options: Partial<TcpFeedOptions> = {}) {
  const twin = await TwinJsonLines.open();
  const clock = new TwinClock(noon);
  const events: MarketEvent[] = [];
  const updates: MarketUpdate[] = [];
  const market = new Market({ run: 1, publish: (update) => updates.push(update) });
  const feed = openTcpFeed({
    exchangeName: 'exchange1',
    address: { host: '127.0.0.1', port: twin.port },
    symbols: ['BTCUSDT', 'ETHUSDT'],
    handle: (event) => {
      events.push(event);
      market.handle(event);
    },
    clock,
    logger: silentLogger,
    random: () => 0.5,
    ...options,
  });
  onTestFinished(async () => {
    await feed[Symbol.asyncDispose]();
    await twin[Symbol.asyncDispose]();
  });
  const followed = {
    twin,
    clock,
    feed,
    market,
    events,
    types: () => events.map(({ type }) => type),
    prices: () =>
      events.flatMap((event) => (event.type === 'trade' ? [event.price / 10n ** 18n] : [])),
    closed: () =>
      updates
        .flatMap((update) => (update.type === 'candle' ? [update.candle] : []))
        .filter(({ timeframe, isClosed }) => timeframe === '1s' && isClosed),
    gaps: () => updates.filter((update) => update.type === 'gap'),
    connected: (times = 1) =>
      eventually(
        () => twin.accepted === times && twin.sockets.size === 1 && feed.status().state === 'open',
      ),
    /** Sends a price `ms` after noon and waits until it was taken; undefined: the clock's time. */
    price: async (price: string, ms = (clock.now() - noon) / 1000, symbol = 'BTCUSDT') => {
      const before = feed.status().counters.frames;
      twin.line({ symbol, price, timestamp: noon / 1000 + ms });
      await eventually(() => feed.status().counters.frames === before + 1);
    },
    /** Moves the clock while connections come about. */
    passes: async (ms: number) => clock.advance(ms, 250),
  };
  await followed.connected();
  return followed;
}

test('prices that are pushed become trades of the exchange', async () => {
  const { events, price } = await aFollowedTwin();
  await price('100123.45');
  await price('3000.5', 0, 'ETHUSDT');
  expect(events).toMatchObject([
    {
      type: 'connectionOpened',
      connection: 'exchange1-1.1',
      instruments: ['exchange1:BTCUSDT', 'exchange1:ETHUSDT'],
    },
    { type: 'trade', instrument: 'exchange1:BTCUSDT', price: 100_123_450_000_000_000_000_000n },
    { type: 'absentTrades', instrument: 'exchange1:BTCUSDT' },
    { type: 'trade', instrument: 'exchange1:ETHUSDT', quantity: 0n },
    { type: 'absentTrades', instrument: 'exchange1:ETHUSDT' },
  ]);
});

test('their candles close, and say that they lack quantities', async () => {
  const { closed, clock, price, gaps } = await aFollowedTwin();
  await price('100');
  clock.moveTo(noon + 300_000);
  await price('103');
  await price('101', 100);
  clock.moveTo(noon + 1_600_000);
  await price('104');
  expect(closed().map(inShort)).toEqual([
    '0 103/103/100/103 n=3 r1 P'.replace('103/103', '100/103'),
  ]);
  const [candle] = closed();
  expect(candle).toMatchObject({ volume: 0n, quoteVolume: 0n, priceSum: 304n * 10n ** 18n });
  expect(candle && lacksQuantities(candle)).toBe(true);
  expect(gaps()).toEqual([]);
});

test('the time without a connection is incomplete for good, and no candle of it is made up', async () => {
  const { twin, clock, connected, closed, price, gaps, market, types, passes } =
    await aFollowedTwin();
  await price('100');
  twin.cut();
  await eventually(() => expect(types()).toContain('connectionLost'));
  await passes(4000);
  await connected(2);
  await price('110');
  clock.moveTo(clock.now() + 2_600_000);
  await price('111');
  expect(closed().map(inShort)).toEqual([
    '0 100/100/100/100 n=1 r1 P !',
    '4 110/110/110/110 n=1 r1 !',
    '5 110/110/110/110 n=0 r1',
  ]);
  expect(gaps()).toMatchObject([{ state: 'absent', fromTime: noon, toTime: noon + 4_000_000 }]);
  expect(market.statuses(clock.now())[0]).toMatchObject({ state: 'live', tradesMissing: 0 });
});

test('an exchange that is stopped and started again is followed again without help', async () => {
  const { twin, feed, connected, price, prices, passes } = await aFollowedTwin();
  await price('1');
  await twin.stop();
  await eventually(() => feed.status().state === 'waiting');
  const { attempts } = feed.status();
  await eventually(async () => {
    await passes(500);
    return feed.status().attempts > attempts + 3;
  });
  expect(feed.status().reason).toMatch(/ECONNREFUSED|Connecting/u);
  await twin.start();
  await eventually(async () => {
    await passes(500);
    return feed.status().state === 'open';
  });
  await connected(2);
  await price('2');
  expect(prices()).toEqual([1n, 2n]);
  expect(feed.status().counters.reconnects).toBe(1);
});

test('attempts come further and further apart, to a bound, and begin anew after a good connection', async () => {
  const { twin, clock, feed, price, passes } = await aFollowedTwin();
  await price('1');
  await passes(6000);
  await eventually(() => feed.status().attempts === 0);
  await twin.stop();
  const delays: number[] = [];
  while (delays.length < 8) {
    await eventually(() => feed.status().state === 'waiting');
    const { nextAttempt = 0, since } = feed.status().connections[0] ?? { since: 0 };
    delays.push((nextAttempt - since) / 1000);
    clock.moveTo(nextAttempt);
    await eventually(() => (feed.status().connections[0]?.since ?? 0) >= nextAttempt);
  }
  expect(delays).toEqual([375, 375, 625, 1125, 2125, 2625, 2625, 2625]);
});

test('a connection that delivers no line is dropped, whatever else it does', async () => {
  const { twin, feed, events, connected, passes } = await aFollowedTwin({
    bounds: { silenceTimeoutMs: 3000 },
  });
  await passes(2000);
  twin.send('{"symbol":"BTC');
  await passes(1500);
  await eventually(() =>
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'connectionLost', reason: 'Nothing was received for 3 s' }),
    ),
  );
  await passes(2000);
  await connected(2);
  expect(feed.status().counters.badFrames.unreadable).toBe(1);
});

test('any line is a sign of life', async () => {
  const { twin, types, feed, passes } = await aFollowedTwin({ bounds: { silenceTimeoutMs: 3000 } });
  for (let round = 1; round <= 4; round++) {
    twin.send('\n');
    await eventually(() => feed.status().counters.ignoredFrames === round);
    await passes(2000);
  }
  expect(types()).not.toContain('connectionLost');
});

test('10 MB without a newline end the connection, and cost no more than the bound', async () => {
  const { twin, feed, types, passes, connected, price, prices } = await aFollowedTwin();
  await price('1');
  twin.send(Buffer.alloc(10 * 1024 * 1024, 'x'));
  await eventually(() => expect(types()).toContain('connectionLost'));
  expect(feed.status().reason).toBe('Expected a line of at most 65536 bytes');
  expect(feed.status().counters.badFrames.unreadable).toBe(1);
  expect(feed.status().samples).toMatchObject([{ sample: 'x'.repeat(512) }]);
  await passes(1000);
  await connected(2);
  await price('2');
  expect(prices()).toEqual([1n, 2n]);
});

test('lines that are none are counted by cause between those that are', async () => {
  const { twin, feed, prices } = await aFollowedTwin();
  const good = (price: string) => `${aPriceLine({ price, timestamp: noon / 1000 })}\n`;
  twin.send(good('1') + 'nonsense\n' + good('"2"') + good('NaN') + good('-3') + good('0') + '\n');
  twin.send(aPriceLine({ price: '9', timestamp: noon / 1000 + 3_600_000 }) + '\n');
  twin.send(Buffer.from([0xe2, 0x82, 10]));
  twin.send(good('4') + good('5').replace('BTC', 'XYZ'));
  await eventually(() => feed.status().counters.frames === 11);
  expect(prices()).toEqual([1n, 4n]);
  expect(feed.status().counters).toMatchObject({
    ignoredFrames: 2,
    badFrames: { unreadable: 2, binary: 1, field: 3, time: 1 },
  });
});

test('a partial line at the end of a connection is no trade', async () => {
  const { twin, feed, prices, types, price } = await aFollowedTwin();
  await price('1');
  twin.send(aPriceLine({ price: '2', timestamp: noon / 1000 }));
  twin.cut();
  await eventually(() => expect(types()).toContain('connectionLost'));
  expect(prices()).toEqual([1n]);
  expect(feed.status().counters.badFrames.unreadable).toBe(1);
});

test('a line that comes byte by byte is one trade', async () => {
  const { twin, prices } = await aFollowedTwin();
  for (const socket of twin.sockets) socket.setNoDelay();
  for (const byte of Buffer.from(`${aPriceLine({ price: '7', timestamp: noon / 1000 })}\r\n`)) {
    twin.send(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually(() => expect(prices()).toEqual([7n]));
});

test('after a feed is closed nothing is told, and nothing is left', async () => {
  const { twin, feed, clock, events, price } = await aFollowedTwin();
  await price('1');
  const told = events.length;
  await feed[Symbol.asyncDispose]();
  await eventually(() => twin.sockets.size === 0);
  expect(events).toHaveLength(told);
  expect(clock.pendingTimers).toBe(0);
});

test('an address that does not answer is given up in time', async () => {
  const clock = new TwinClock(noon);
  // A name is looked up by another thread: nothing comes about in this turn.
  const feed = openTcpFeed({
    exchangeName: 'exchange1',
    address: { host: 'localhost', port: 1 },
    symbols: [],
    handle: () => {},
    clock,
    logger: silentLogger,
    random: () => 0,
  });
  clock.moveTo(noon + 10_000_000);
  await eventually(() => feed.status().state === 'waiting');
  expect(feed.status().reason).toBe('No connection came about within 10 s');
  await feed[Symbol.asyncDispose]();
});
