import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { openStreams } from '../support/streaming-feed.ts';

const bitcoin = 'btcusdt@aggTrade btcusdt@bookTicker';
const ether = 'ethusdt@aggTrade ethusdt@bookTicker';

test('after the opening and every five minutes the exchange is asked what is in force', async () => {
  await using setup = await openStreams({ symbols: ['BTCUSDT', 'ETHUSDT'] });
  const { streams, advance, feed } = setup;
  expect(streams.asked).toEqual(['LIST_SUBSCRIPTIONS']);
  await advance(299_500);
  expect(streams.asked).toHaveLength(1);
  await advance(1000);
  expect(streams.asked).toEqual(['LIST_SUBSCRIPTIONS', 'LIST_SUBSCRIPTIONS']);
  expect(feed.instrumentTroubles()).toEqual(new Map());
});

test('a stream that was lost with the opening is subscribed again, alone', async () => {
  await using setup = await openStreams({
    symbols: ['BTCUSDT', 'ETHUSDT'],
    prepare: ({ forgotten }) => forgotten.add('ethusdt@aggTrade'),
  });
  const { streams, trade, advance, events, feed } = setup;
  expect([...feed.instrumentTroubles()]).toEqual([
    ['sim-binance:ETHUSDT', 'The exchange does not name ethusdt@aggTrade'],
  ]);
  streams.forgotten.clear();
  await advance(1500);
  expect(streams.asked).toEqual([
    'LIST_SUBSCRIPTIONS',
    'SUBSCRIBE ethusdt@aggTrade',
    'LIST_SUBSCRIPTIONS',
    'SUBSCRIBE ethusdt@aggTrade',
    'LIST_SUBSCRIPTIONS',
  ]);
  expect(feed.instrumentTroubles()).toEqual(new Map());
  trade('ETHUSDT');
  await setup.untilEvents('trade');
  expect(events.filter(({ type }) => type.startsWith('connection'))).toMatchObject([
    { type: 'connectionOpened', connection: 'sim-binance-1.1' },
    { type: 'connectionOpened', connection: 'sim-binance-1.1/ETHUSDT.1' },
    { type: 'connectionLost', connection: 'sim-binance-1.1/ETHUSDT.1' },
    { type: 'connectionOpened', instruments: ['sim-binance:ETHUSDT'] },
  ]);
});

test('a stream that is lost later is found by the next audit', async () => {
  await using setup = await openStreams({ symbols: ['BTCUSDT', 'ETHUSDT'] });
  const { streams, advance } = setup;
  streams.inForce[0]?.delete('btcusdt@bookTicker');
  await advance(302_000);
  expect(streams.asked.slice(1)).toEqual([
    'LIST_SUBSCRIPTIONS',
    'SUBSCRIBE btcusdt@bookTicker',
    'LIST_SUBSCRIPTIONS',
  ]);
  expect(streams.inForce[0]).toContain('btcusdt@bookTicker');
});

describe('a symbol that the exchange does not take', () => {
  test('is tried in company once, then alone, then left until the next audit, with the reason shown', async () => {
    await using setup = await openStreams({
      symbols: ['BTCUSDT', 'ETHUSDT'],
      prepare: ({ forgotten, refused }) => {
        for (const stream of [...bitcoin.split(' '), ...ether.split(' ')]) forgotten.add(stream);
        refused.add('ethusdt@aggTrade');
      },
    });
    const { streams, advance, feed } = setup;
    for (const stream of bitcoin.split(' ')) streams.forgotten.delete(stream);
    await advance(10_000);
    expect(streams.asked).toEqual([
      'LIST_SUBSCRIPTIONS',
      `SUBSCRIBE ${bitcoin} ${ether}`,
      'LIST_SUBSCRIPTIONS',
      `SUBSCRIBE ${bitcoin}`,
      `SUBSCRIBE ${ether}`,
      'LIST_SUBSCRIPTIONS',
      `SUBSCRIBE ${ether}`,
      'LIST_SUBSCRIPTIONS',
    ]);
    expect([...feed.instrumentTroubles()]).toEqual([
      ['sim-binance:ETHUSDT', 'Invalid request: no such stream (code 2)'],
    ]);
    expect(feed.status().state).toBe('open');

    streams.refused.clear();
    streams.forgotten.clear();
    await advance(300_000);
    expect(feed.instrumentTroubles()).toEqual(new Map());
  });
});

test('never are more than three requests sent within a second', async () => {
  const symbols = Array.from({ length: 20 }, (_, index) => `S${index}`);
  await using setup = await openStreams({
    symbols,
    prepare: ({ forgotten }) =>
      symbols.forEach((symbol) => forgotten.add(`${symbol.toLowerCase()}@aggTrade`)),
  });
  const { streams, advance } = setup;
  const sent: number[] = [];
  let before = streams.requests.length;
  await advance(30_000, () => {
    sent.push(streams.requests.length - before);
    before = streams.requests.length;
  });
  expect(streams.requests.length).toBeGreaterThan(40);
  const seconds = sent.slice(1).map((count, index) => count + (sent[index] ?? 0));
  expect(Math.max(...seconds)).toBeLessThanOrEqual(3);
});

test('an exchange that does not answer is asked again with the next audit, and believed meanwhile', async () => {
  await using setup = await openStreams({
    prepare: (streams) => {
      streams.isAnswering = false;
    },
  });
  const { streams, trade, advance, types, feed } = setup;
  await advance(299_000, () => trade());
  expect(streams.asked).toEqual(['LIST_SUBSCRIPTIONS']);
  await advance(2000, () => trade());
  expect(streams.asked).toHaveLength(2);
  expect(types()).not.toContain('connectionLost');
  expect(feed.status().state).toBe('open');
});

test('what is asked on a connection that ends is forgotten with it', async () => {
  await using setup = await openStreams({
    prepare: (streams) => {
      streams.isAnswering = false;
    },
  });
  setup.twin.cut();
  await setup.untilState('waiting');
  await setup.advance(10_000);
  await eventually(() => setup.feed.status().state === 'open');
  await setup.feed[Symbol.asyncDispose]();
  expect(setup.clock.pendingTimers).toBe(0);
});
