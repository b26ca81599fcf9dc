import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { parseDecimal } from '../../src/base/decimal.ts';
import { binance } from '../../src/exchange/binance.ts';
import { openFeed } from '../../src/exchange/feed.ts';
import { aBookTickerPayload, aFrame, anAggTradePayload } from '../support/binance-frames.ts';
import { noon } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { TwinExchange } from '../support/twin-exchange.ts';
import type { TwinAnswer } from '../support/twin-exchange.ts';
import { TwinClock } from '../support/twin-clock.ts';
import { openTwinFeed } from '../support/twin-feed.ts';

/** Answers a question for the last trade with this one, and any other with nothing. */
function lastTradeIs(fields: Readonly<Record<string, unknown>> = {}) {
  return ({ pathname }: URL): TwinAnswer =>
    pathname === '/api/v3/aggTrades' ? { body: [anAggTradePayload(fields)] } : { body: {} };
}

const isLastTradeQuestion = (question: string) => question.startsWith('/api/v3/aggTrades');

test('a feed subscribes in the URL, says so, and delivers what comes', async () => {
  await using setup = await openTwinFeed({ symbols: ['BTCUSDT', 'ethusdt', '这是币', 'BTCUSDT'] });
  const { twin, events, untilEvents, feed, untilState } = setup;
  await untilState('open');
  expect(twin.upgrades).toEqual([
    '/stream?streams=btcusdt@aggTrade/btcusdt@bookTicker/ethusdt@aggTrade/ethusdt@bookTicker' +
      `/${encodeURIComponent('这是币')}@aggTrade/${encodeURIComponent('这是币')}@bookTicker`,
  ]);
  twin.send(aFrame(anAggTradePayload({ s: '这是币' })));
  twin.send(aFrame(aBookTickerPayload()));
  await untilEvents('bookTicker');
  expect(events[0]).toEqual({
    type: 'connectionOpened',
    connection: 'sim-binance-1.1',
    instruments: ['sim-binance:BTCUSDT', 'sim-binance:ETHUSDT', 'sim-binance:这是币'],
    idOrder: 'contiguous',
    receivedTime: noon,
  });
  expect(events.slice(1)).toMatchObject([
    { type: 'trade', instrument: 'sim-binance:这是币', price: parseDecimal('61837.63') },
    { type: 'bookTicker', instrument: 'sim-binance:BTCUSDT' },
  ]);
  expect(feed.status()).toMatchObject({ state: 'open', reason: 'Connected', attempts: 1 });
});

test('many symbols are spread over several connections', async () => {
  const symbols = ['A', 'B', 'C', 'D', 'E'];
  await using setup = await openTwinFeed({ symbols, settings: { symbolsPerConnection: 2 } });
  await setup.untilState('open');
  const opened = setup.events.flatMap((event) =>
    event.type === 'connectionOpened' ? [event.instruments.length] : [],
  );
  expect(opened.toSorted((a, b) => a - b)).toEqual([1, 2, 2]);
});

test('after the opening the last trade of each instrument is asked for and told', async () => {
  await using setup = await openTwinFeed({
    symbols: ['BTCUSDT', 'NEWUSDT'],
    prepare: (twin) => {
      twin.answer = (url) =>
        url.searchParams.get('symbol') === 'BTCUSDT' ? lastTradeIs()(url) : { body: [] };
    },
  });
  await setup.untilEvents('lastTrade');
  await eventually(() => setup.twin.questions.filter(isLastTradeQuestion).length === 2);
  expect(setup.types()).toEqual(['connectionOpened', 'lastTrade']);
  expect(setup.events[1]).toMatchObject({
    trade: { instrument: 'sim-binance:BTCUSDT', id: 12345, lastTradeId: 105, eventTime: undefined },
    askedTime: noon,
    receivedTime: noon,
  });
});

test('a connection that is cut mid-way is reported, and the feed comes back after a jittered wait', async () => {
  await using setup = await openTwinFeed({ random: () => 0.25 });
  const { twin, clock, untilState, types, events } = setup;
  await untilState('open');
  twin.cut();
  await untilState('waiting');
  expect(events.at(-1)).toMatchObject({
    type: 'connectionLost',
    connection: 'sim-binance-1.1',
    reason: 'The connection was cut without a close frame',
  });
  expect(setup.feed.status().connections[0]?.nextAttempt).toBe(noon + 625_000);
  await clock.advance(624);
  expect(twin.upgrades).toHaveLength(1);
  await clock.advance(1);
  await untilState('open');
  expect(types()).toEqual(['connectionOpened', 'connectionLost', 'connectionOpened']);
  expect(setup.feed.status().counters.reconnects).toBe(1);
});

test.each([
  [
    'a close',
    (twin: TwinExchange) => twin.sockets.forEach((socket) => socket.close(1001, 'bye')),
    'code 1001 bye',
  ],
  [
    'a frame of more than 1 MiB',
    (twin: TwinExchange) => twin.send('x'.repeat(1024 * 1024 + 1)),
    'Max payload',
  ],
  [
    'a message in a thousand fragments',
    (twin: TwinExchange) =>
      twin.sockets.forEach((socket) => {
        for (let part = 0; part < 1000; part++) socket.send('1', { fin: part === 999 });
      }),
    'fragments',
  ],
  [
    '101 unreadable frames',
    (twin: TwinExchange) => Array.from({ length: 101 }, () => twin.send('{')),
    'could not be read',
  ],
])('%s ends the connection, and the next one is opened', async (_name, act, reason) => {
  await using setup = await openTwinFeed();
  await setup.untilState('open');
  act(setup.twin);
  await setup.untilState('waiting');
  expect(setup.feed.status().reason).toContain(reason);
  await setup.clock.advance(1000);
  await setup.untilState('open');
  setup.twin.send(aFrame(anAggTradePayload()));
  await setup.untilEvents('trade');
});

test('bad, binary and unknown frames are counted, and the feed goes on', async () => {
  await using setup = await openTwinFeed();
  const { twin, feed, untilEvents, untilState } = setup;
  await untilState('open');
  twin.send('');
  twin.send('{');
  twin.send(aFrame(anAggTradePayload({ p: null })));
  twin.send(aFrame(anAggTradePayload({ T: 0 })));
  twin.send({ e: 'new', s: 'BTCUSDT' });
  for (const socket of twin.sockets) socket.send(Buffer.from('{}'), { binary: true });
  twin.send(aFrame(anAggTradePayload()));
  await untilEvents('trade');
  expect(feed.status().counters).toEqual({
    frames: 7,
    ignoredFrames: 1,
    badFrames: { unreadable: 2, binary: 1, field: 1, time: 1 },
    reconnects: 0,
  });
  expect(feed.status().samples).toHaveLength(5);
});

describe('waiting between attempts', () => {
  test('doubles while the exchange is not there, and says why', async () => {
    await using setup = await openTwinFeed({
      random: () => 1 - Number.EPSILON,
      prepare: (twin) => {
        twin.refusal = { status: 503 };
      },
    });
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt++) {
      await eventually(
        () => setup.feed.status().state === 'waiting' && setup.feed.status().attempts === attempt,
      );
      const { nextAttempt = 0 } = setup.feed.status().connections[0] ?? {};
      waits.push((nextAttempt - setup.clock.now()) / 1000);
      await setup.clock.advance(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(setup.feed.status().reason).toBe('The upgrade was refused with HTTP 503');
  });

  test('begins anew only after 30 s of data, not with a first frame', async () => {
    await using setup = await openTwinFeed();
    const { twin, clock, untilState, untilEvents, feed } = setup;
    for (let cut = 1; cut <= 3; cut++) {
      await untilState('open');
      twin.send(aFrame(anAggTradePayload({ a: cut })));
      await untilEvents('trade', cut);
      twin.cut();
      await untilState('waiting');
      expect(feed.status().attempts).toBe(cut);
      await clock.advance(10_000);
    }
    await untilState('open');
    twin.send(aFrame(anAggTradePayload({ a: 4 })));
    await untilEvents('trade', 4);
    await clock.advance(29_500, 500);
    expect(feed.status().attempts).toBe(4);
    await clock.advance(500);
    expect(feed.status().attempts).toBe(0);
  });

  test('keeps a storm of accepted and closed connections within 300 in 5 minutes', async () => {
    await using setup = await openTwinFeed({
      symbols: ['A', 'B', 'C'],
      settings: {
        symbolsPerConnection: 1,
        backoff: { minimumMs: 1, maximumMs: 1 },
        connectsPer5Minutes: 100_000,
      },
      prepare: (twin) => {
        twin.onConnect = (socket) => socket.close(1000);
      },
    });
    const { twin, clock, feed } = setup;
    const start = clock.monotonicMs();
    const isWaiting = () => feed.status().connections.every(({ state }) => state === 'waiting');
    while (twin.upgrades.length < 1000) {
      await eventually(isWaiting);
      const next = Math.min(
        ...feed.status().connections.map(({ nextAttempt }) => nextAttempt ?? clock.now()),
      );
      clock.moveTo(Math.max(next, clock.now() + 1000));
      const windows = Math.floor((clock.monotonicMs() - start) / 300_000) + 1;
      expect(twin.upgrades.length).toBeLessThanOrEqual(windows * 300);
    }
    expect(clock.monotonicMs() - start).toBeGreaterThanOrEqual(900_000);
  });
});

describe('an upgrade that is refused for good reason', () => {
  test.each([
    [451, {}, 600],
    [403, {}, 600],
    [418, { 'Retry-After': '1200' }, 1200],
    [429, { 'Retry-After': '30' }, 30],
    [429, {}, 60],
  ])('with HTTP %s %o is not repeated for %s s', async (status, headers, seconds) => {
    await using setup = await openTwinFeed({
      symbols: ['A', 'B'],
      settings: { symbolsPerConnection: 1 },
      prepare: (twin) => {
        twin.refusal = { status, headers };
      },
    });
    const { twin, clock, feed } = setup;
    await eventually(() => feed.status().connections.every(({ state }) => state === 'refused'));
    expect(feed.status().reason).toContain(`(HTTP ${status})`);
    const { length } = twin.upgrades;
    await clock.advance(seconds * 1000 - 1, 10_000);
    expect(twin.upgrades).toHaveLength(length);
    twin.refusal = undefined;
    await clock.advance(2000);
    await setup.untilState('open');
    expect(twin.upgrades).toHaveLength(length + 2);
  });

  test('no second connection is opened while the stop of the first is in force', async () => {
    await using setup = await openTwinFeed({
      symbols: ['A', 'B'],
      settings: { symbolsPerConnection: 1 },
    });
    const { twin, clock, feed, untilState } = setup;
    await untilState('open');
    twin.refusal = { status: 451 };
    const [first, second] = [...twin.sockets];
    first?.terminate();
    await untilState('waiting');
    await clock.advance(1000);
    await untilState('refused');
    expect(twin.upgrades).toHaveLength(3);
    second?.terminate();
    await eventually(() => feed.status().connections.every(({ state }) => state === 'refused'));
    await clock.advance(300_000, 10_000);
    expect(twin.upgrades).toHaveLength(3);
  });
});

describe('silence', () => {
  test('of every kind for 60 s ends the connection', async () => {
    await using setup = await openTwinFeed();
    await setup.untilState('open');
    await setup.clock.advance(59_500, 500);
    expect(setup.feed.status().state).toBe('open');
    await setup.clock.advance(500);
    await setup.untilState('waiting');
    expect(setup.feed.status().reason).toBe('Nothing was received for 60 s');
  });

  test('with pings in it is only quiet', async () => {
    await using setup = await openTwinFeed();
    const { twin, clock, untilState, feed } = setup;
    await untilState('open');
    for (let minute = 0; minute < 6; minute++) {
      const ponged = Promise.all(
        [...twin.sockets].map(
          (socket) => new Promise<Buffer>((resolve) => socket.once('pong', resolve)),
        ),
      );
      for (const socket of twin.sockets) socket.ping('1770');
      expect(String(await ponged)).toBe('1770');
      await clock.advance(50_000, 500);
      expect(feed.status().state).toBe('open');
    }
    expect(twin.upgrades).toHaveLength(1);
  });

  test('of data for 2 s makes it ask for the last trades, again and again until data flows', async () => {
    await using setup = await openTwinFeed({
      symbols: ['A', 'B'],
      prepare: (twin) => {
        twin.answer = lastTradeIs();
      },
    });
    const { twin, clock, untilEvents, events } = setup;
    await untilEvents('lastTrade', 2);
    await clock.advance(1500, 500);
    expect(twin.questions.filter(isLastTradeQuestion)).toHaveLength(2);
    await clock.advance(500);
    await untilEvents('lastTrade', 4);
    await clock.advance(1500, 500);
    expect(twin.questions.filter(isLastTradeQuestion)).toHaveLength(4);
    await clock.advance(500);
    await untilEvents('lastTrade', 6);
    expect(events.at(-1)).toMatchObject({ type: 'lastTrade', askedTime: noon + 4_000_000 });

    for (let tick = 0; tick < 20; tick++) {
      twin.send(aFrame(aBookTickerPayload({ s: 'A', u: tick })));
      await untilEvents('bookTicker', tick + 1);
      await clock.advance(500);
    }
    expect(twin.questions.filter(isLastTradeQuestion)).toHaveLength(6);
  });

  test('of a hundred instruments is asked about within its allowance, in turn', async () => {
    const symbols = Array.from({ length: 40 }, (_, index) => `S${index}`);
    await using setup = await openTwinFeed({
      symbols,
      settings: { probeWeightPerMinute: 80 },
      prepare: (twin) => {
        twin.answer = lastTradeIs();
      },
    });
    const { twin, clock, untilEvents } = setup;
    await untilEvents('lastTrade', 40);
    await clock.advance(3000, 500);
    await untilEvents('lastTrade', 60);
    for (const socket of twin.sockets) socket.ping();
    await clock.advance(50_000, 500);
    expect(twin.questions.filter(isLastTradeQuestion)).toHaveLength(60);
    for (const socket of twin.sockets) socket.ping();
    await clock.advance(10_000, 500);
    await untilEvents('lastTrade', 80);
    const asked = twin.questions.filter(isLastTradeQuestion).slice(40);
    expect(new Set(asked).size).toBe(40);
  });
});

describe('the last trade is asked for again', () => {
  test.each<readonly [string, TwinAnswer]>([
    ['a server error', { status: 500, body: 'oops' }],
    ['a page instead of JSON', { body: '<html>maintenance</html>' }],
    ['half an answer', { body: '[{"a":1' }],
    ['an answer of another shape', { body: { code: 1 } }],
    ['a row that is none', { body: [5] }],
    ['a row with a null price', { body: [anAggTradePayload({ p: null })] }],
    ['an answer that is too long', { body: `[${' '.repeat(5_000_000)}]` }],
    ['no answer', {}],
    ['a wish for fewer requests', { status: 429, headers: { 'Retry-After': '20' } }],
    ['a redirection', { status: 302, headers: { location: '/login' } }],
  ])('after %s', async (_name, wrong) => {
    let isWrong = true;
    await using setup = await openTwinFeed({
      prepare: (twin) => {
        twin.answer = (url) =>
          isWrong && url.pathname === '/api/v3/aggTrades' ? wrong : lastTradeIs()(url);
      },
    });
    const { twin, clock, untilState, types, untilEvents } = setup;
    await untilState('open');
    await eventually(() => twin.questions.some(isLastTradeQuestion));
    isWrong = false;
    // Data flows, so that it is not the silence that makes it ask.
    await eventually(async () => {
      twin.send(aFrame(aBookTickerPayload()));
      await clock.advance(500);
      return types().includes('lastTrade');
    });
    await untilEvents('lastTrade');
    expect(setup.feed.status().state).toBe('open');
  });

  test('but not at all while the exchange forbids it', async () => {
    await using setup = await openTwinFeed({
      symbols: ['A', 'B', 'C', 'D', 'E', 'F'],
      prepare: (twin) => {
        twin.answer = () => ({ status: 418, headers: { 'Retry-After': '3600' }, body: '<html>' });
      },
    });
    const { twin, clock, feed, untilState } = setup;
    await untilState('open');
    await eventually(() => feed.status().restStop !== undefined);
    await clock.advance(5000, 500);
    const { length } = twin.questions;
    expect(length).toBeLessThanOrEqual(4);
    expect(feed.status().restStop).toContain('HTTP 418');
    for (let minute = 0; minute < 10; minute++) {
      for (const socket of twin.sockets) socket.ping();
      await clock.advance(50_000, 1000);
    }
    expect(twin.questions).toHaveLength(length);
    expect(feed.status().state).toBe('open');
  });
});

test('the order limits are read, also where one symbol is not known', async () => {
  await using setup = await openTwinFeed({
    symbols: ['BTCUSDT', 'GONE', 'ETHUSDT'],
    prepare: (twin) => {
      twin.answer = ({ pathname, searchParams }) => {
        if (pathname !== '/api/v3/exchangeInfo') return { body: [] };
        const symbols = JSON.parse(searchParams.get('symbols') ?? '[]') as string[];
        if (symbols.includes('GONE'))
          return { status: 400, body: { code: -1121, msg: 'Invalid symbol.' } };
        const filters = [
          { filterType: 'PRICE_FILTER', tickSize: '0.01000000' },
          { filterType: 'LOT_SIZE', stepSize: '0.00000000' },
          { filterType: 'NOTIONAL', minNotional: '5.00000000' },
          null,
        ];
        return { body: { symbols: symbols.map((symbol) => ({ symbol, filters })) } };
      };
    },
  });
  const limits = { tickSize: 10n ** 16n, lotSize: undefined, minimumNotional: 5n * 10n ** 18n };
  await eventually(() => setup.feed.limits().size === 2);
  expect(Object.fromEntries(setup.feed.limits())).toEqual({
    'sim-binance:BTCUSDT': limits,
    'sim-binance:ETHUSDT': limits,
  });
});

test('where others use the weight of our address, no question goes out before the next minute', async () => {
  await using setup = await openTwinFeed({
    prepare: (twin) => {
      twin.answer = (url) => ({
        ...lastTradeIs()(url),
        headers: { 'X-MBX-USED-WEIGHT-1M': '3000' },
      });
    },
  });
  const { twin, clock, untilEvents } = setup;
  await untilEvents('lastTrade');
  const { length } = twin.questions;
  await clock.advance(59_000, 500);
  expect(twin.questions).toHaveLength(length);
  await clock.advance(1000, 500);
  await eventually(() => twin.questions.length > length);
});

test.each<readonly [string, (twin: TwinExchange) => void, string]>([
  ['open', () => {}, 'open'],
  ['waiting', (twin) => (twin.refusal = { status: 500 }), 'waiting'],
  ['refused', (twin) => (twin.refusal = { status: 451 }), 'refused'],
])('a feed that is %s closes at once and tells nothing more', async (_name, prepare, state) => {
  await using setup = await openTwinFeed({ prepare });
  await setup.untilState(state);
  const told = setup.events.length;
  await setup.feed[Symbol.asyncDispose]();
  await eventually(() => setup.twin.sockets.size === 0);
  const { length } = setup.twin.upgrades;
  await setup.clock.advance(3_600_000, 60_000);
  expect(setup.twin.upgrades).toHaveLength(length);
  expect(setup.events).toHaveLength(told);
  expect(setup.clock.pendingTimers).toBe(0);
});

test('a feed that is closed before it has begun never connects', async () => {
  await using twin = await TwinExchange.open();
  const { webSocketBaseUrl, restBaseUrl } = twin;
  const clock = new TwinClock(noon);
  const feed = openFeed({
    exchange: binance,
    exchangeName: 'binance',
    symbols: ['A'],
    handle: () => {},
    clock,
    logger: silentLogger,
    random: Math.random,
    settings: { webSocketBaseUrl, restBaseUrl },
  });
  await feed[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
  expect(twin.upgrades).toEqual([]);
});

describe('why there is no connection is said', () => {
  async function reasonAt(webSocketBaseUrl: string): Promise<string> {
    await using feed = openFeed({
      exchange: binance,
      exchangeName: 'binance',
      symbols: ['A'],
      handle: () => {},
      clock: new TwinClock(noon),
      logger: silentLogger,
      random: Math.random,
      settings: { webSocketBaseUrl, restBaseUrl: 'http://127.0.0.1:1' },
    });
    await eventually(() => feed.status().state === 'waiting');
    return feed.status().reason;
  }

  test('for a name that does not resolve', async () => {
    expect(await reasonAt('ws://exchange.invalid')).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });

  test('for a port where nobody listens', async () => {
    expect(await reasonAt('ws://127.0.0.1:1')).toMatch(/ECONNREFUSED/);
  });

  test('for a certificate that nobody vouches for', async () => {
    const { certFile, keyFile } = testCertificate;
    const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      expect(await reasonAt(`wss://localhost:${port}`)).toMatch(/self-signed certificate/);
    } finally {
      server.close();
    }
  });
});
