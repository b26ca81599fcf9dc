import { describe, expect, test } from 'vitest';
import { Market } from '../../src/market/market.ts';
import type { MarketUpdate } from '../../src/market/market-update.ts';
import { eventually } from '../support/eventually.ts';
import { openStreams } from '../support/streaming-feed.ts';

const symbols = ['BTCUSDT', 'ETHUSDT'];
const renewal = [
  'UNSUBSCRIBE ethusdt@aggTrade ethusdt@bookTicker',
  'SUBSCRIBE ethusdt@aggTrade ethusdt@bookTicker',
  'LIST_SUBSCRIPTIONS',
];

type Setup = Awaited<ReturnType<typeof openStreams>>;

/** Both symbols trade twice a second. */
function tradeBoth({ trade }: Setup) {
  trade('BTCUSDT');
  trade('ETHUSDT');
}

describe('a symbol whose stream dies while it trades', () => {
  test('is found by REST, subscribed again, and delivers; the other is not disturbed', async () => {
    await using setup = await openStreams({ symbols });
    const { streams, advance, events, feed } = setup;
    await advance(60_000, () => tradeBoth(setup));
    expect(setup.asked).toEqual(symbols);
    streams.kill('ethusdt@aggTrade');
    const asked = streams.asked.length;
    await advance(7000, () => tradeBoth(setup));
    expect(streams.asked).toHaveLength(asked);
    await advance(3000, () => tradeBoth(setup));
    expect(streams.asked.slice(asked)).toEqual(renewal);
    await advance(5000, () => tradeBoth(setup));

    expect(setup.twin.upgrades).toHaveLength(1);
    const connections = events.filter(({ type }) => type.startsWith('connection'));
    expect(connections).toMatchObject([
      { type: 'connectionOpened', instruments: ['sim-binance:BTCUSDT', 'sim-binance:ETHUSDT'] },
      { type: 'connectionOpened', instruments: ['sim-binance:ETHUSDT'] },
      {
        type: 'connectionLost',
        reason: expect.stringMatching(/^The exchange has had trade \d+, the stream came to 120$/),
      },
      { type: 'connectionOpened', instruments: ['sim-binance:ETHUSDT'] },
    ]);
    const last = events.findLast((event) => event.type === 'trade');
    expect(last).toMatchObject({ instrument: 'sim-binance:ETHUSDT', id: 150 });
    expect(feed.instrumentTroubles()).toEqual(new Map());
  });

  test('has no candle that looks whole where its trades are missing, and no flat one is invented for good', async () => {
    await using setup = await openStreams({ symbols });
    const { streams, advance, events } = setup;
    await advance(30_000, () => tradeBoth(setup));
    streams.kill('ethusdt@aggTrade');
    await advance(30_000, () => tradeBoth(setup));
    const updates: MarketUpdate[] = [];
    const market = new Market({ run: 1, publish: (update) => updates.push(update) });
    for (const event of events) market.handle(event);
    const newest = new Map(
      updates.flatMap((update) =>
        update.type === 'candle' &&
        update.candle.instrument === 'sim-binance:ETHUSDT' &&
        update.candle.timeframe === '1s' &&
        update.candle.isClosed
          ? [[update.candle.openTime, update.candle] as const]
          : [],
      ),
    );
    const whole = [...newest.values()].filter(({ isComplete }) => isComplete);
    expect(newest.size - whole.length).toBeGreaterThan(5);
    expect(whole.every(({ tradeCount }) => tradeCount > 0)).toBe(true);
  });

  test('is shown with its reason while its subscription does not help', async () => {
    await using setup = await openStreams({ symbols });
    const { streams, advance, feed } = setup;
    await advance(60_000, () => tradeBoth(setup));
    streams.isAnswering = false;
    streams.kill('ethusdt@aggTrade');
    await advance(12_000, () => tradeBoth(setup));
    expect([...feed.instrumentTroubles().keys()]).toEqual(['sim-binance:ETHUSDT']);
    expect(feed.status().state).toBe('open');
  });

  test('makes the connection be replaced when two new subscriptions did not help', async () => {
    await using setup = await openStreams({ symbols });
    const { streams, advance, twin, feed, events } = setup;
    await advance(30_000, () => tradeBoth(setup));
    streams.hopeless.add('ethusdt@aggTrade');
    streams.kill('ethusdt@aggTrade');
    const until = (check: () => boolean) =>
      eventually(async () => {
        await advance(500, () => tradeBoth(setup));
        return check();
      });
    await until(() => streams.connections === 2);
    expect(streams.asked.filter((asked) => asked === renewal[0])).toHaveLength(3);
    streams.dead[1]?.clear();
    await until(() => twin.sockets.size === 1);
    await advance(5000, () => tradeBoth(setup));
    expect(feed.instrumentTroubles()).toEqual(new Map());
    const last = events.findLast((event) => event.type === 'trade');
    expect(last).toMatchObject({ instrument: 'sim-binance:ETHUSDT' });
    expect(twin.upgrades).toHaveLength(2);
    // First it is told as lost: what the next one delivers does not show what this one missed.
    const told = events.map((event) =>
      'connection' in event ? `${event.type} ${event.connection}` : '',
    );
    const lost = told.indexOf('connectionLost sim-binance-1.1');
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(told.indexOf('connectionOpened sim-binance-1.2'));
  });

  test('does not make the connection be replaced more often than every ten minutes', async () => {
    await using setup = await openStreams({ symbols });
    const { streams, advance, twin, feed } = setup;
    streams.hopeless.add('ethusdt@aggTrade');
    streams.kill('ethusdt@aggTrade');
    await advance(600_000, () => tradeBoth(setup));
    expect(twin.upgrades).toHaveLength(2);
    expect([...feed.instrumentTroubles().keys()]).toEqual(['sim-binance:ETHUSDT']);
    expect(streams.requests.length).toBeLessThan(60);
    await advance(120_000, () => tradeBoth(setup));
    expect(twin.upgrades.length).toBeLessThanOrEqual(3);
  });
});

test('where most symbols of a connection die it is replaced at once', async () => {
  const many = Array.from({ length: 20 }, (_, index) => `S${index}`);
  await using setup = await openStreams({ symbols: many });
  const { streams, advance, twin } = setup;
  const tradeAll = () => many.forEach((symbol) => setup.trade(symbol));
  await advance(60_000, tradeAll);
  for (const symbol of many) streams.kill(`${symbol.toLowerCase()}@aggTrade`);
  await advance(10_000, tradeAll);
  await eventually(() => streams.connections === 2);
  await advance(2000, tradeAll);
  await eventually(() => twin.sockets.size === 1);
  expect(setup.feed.instrumentTroubles()).toEqual(new Map());
});

test('book tickers that stop while there are trades are subscribed again', async () => {
  await using setup = await openStreams({ symbols });
  const { streams, advance, tick } = setup;
  const both = () => {
    tradeBoth(setup);
    tick('BTCUSDT');
    tick('ETHUSDT');
  };
  await advance(10_000, both);
  streams.kill('ethusdt@bookTicker');
  await advance(27_000, both);
  expect(streams.asked.slice(1)).toEqual(renewal);
  const tickers = setup.types().filter((type) => type === 'bookTicker').length;
  await advance(1000, both);
  await eventually(
    () => setup.types().filter((type) => type === 'bookTicker').length === tickers + 4,
  );
});

test('a symbol that trades once in twenty minutes is never subscribed again nor reconnected, and hardly asked for', async () => {
  await using setup = await openStreams({ symbols });
  const { streams, advance, trade, asked, twin } = setup;
  let passedMs = 0;
  await advance(3_600_000, () => {
    passedMs += 500;
    trade('BTCUSDT');
    if (passedMs % 1_200_000 === 0) trade('ETHUSDT');
  });
  expect(twin.upgrades).toHaveLength(1);
  expect(streams.asked.every((request) => request === 'LIST_SUBSCRIPTIONS')).toBe(true);
  expect(asked.filter((symbol) => symbol === 'BTCUSDT')).toHaveLength(1);
  const quiet = asked.filter((symbol) => symbol === 'ETHUSDT').length;
  expect(quiet).toBeGreaterThan(5);
  expect(quiet).toBeLessThan(25);
}, 60_000);

test('a stream that is a second behind REST is not dead', async () => {
  await using setup = await openStreams({ symbols });
  const { streams, advance, trade, lastIds } = setup;
  let step = 0;
  await advance(300_000, () => {
    trade('BTCUSDT');
    // Every ten seconds one that REST knows two steps before the stream brings it.
    step++;
    if (step % 20 === 18) lastIds.set('ETHUSDT', (lastIds.get('ETHUSDT') ?? 0) + 1);
    if (step % 20 === 0) {
      lastIds.set('ETHUSDT', (lastIds.get('ETHUSDT') ?? 1) - 1);
      trade('ETHUSDT');
    }
  });
  expect(streams.asked.every((request) => request === 'LIST_SUBSCRIPTIONS')).toBe(true);
});
