import { expect, test } from 'vitest';
import type { Feed } from '../../src/exchange/feed.ts';
import { Market } from '../../src/market/market.ts';
import { InstrumentDirectory } from '../../src/rpc/instrument-directory.ts';
import { statusesOf } from '../../src/server/instrument-statuses.ts';
import { aTrade, noon } from '../support/builders.ts';
import { openStreams } from '../support/streaming-feed.ts';

const live = 'sim-binance:BTCUSDT';
const dead = 'sim-binance:ETHUSDT';
const directory = new InstrumentDirectory([live, dead], 'sim-binance');

function statusesOfFeed(feeds: readonly Feed[], market: Market) {
  return statusesOf(market, directory, feeds, noon).map(({ instrument, state, reason }) => [
    instrument,
    state,
    reason,
  ]);
}

test('before a feed is there all instruments are down', () => {
  const market = new Market({ run: 1, publish: () => {} });
  expect(statusesOfFeed([], market)).toEqual([
    [live, 'down', 'Not connected yet'],
    [dead, 'down', 'Not connected yet'],
  ]);
});

test('an instrument that its open connection does not deliver is stale, with the reason; the other is live', async () => {
  await using setup = await openStreams({
    symbols: ['BTCUSDT', 'ETHUSDT'],
    prepare: ({ forgotten }) => forgotten.add('ethusdt@aggTrade'),
  });
  const market = new Market({ run: 1, publish: () => {} });
  for (const event of setup.events) market.handle(event);
  for (const id of [1, 2]) market.handle(aTrade({ instrument: live, id }));
  expect(statusesOfFeed([setup.feed], market)).toEqual([
    [live, 'live', ''],
    [dead, 'stale', 'The exchange does not name ethusdt@aggTrade'],
  ]);
});

test('an instrument whose connection is down is down for that reason', async () => {
  await using setup = await openStreams({ symbols: ['BTCUSDT', 'ETHUSDT'] });
  const market = new Market({ run: 1, publish: () => {} });
  setup.twin.cut();
  await setup.untilState('waiting');
  for (const event of setup.events) market.handle(event);
  const reason = 'The connection was cut without a close frame';
  expect(statusesOfFeed([setup.feed], market)).toEqual([
    [live, 'down', reason],
    [dead, 'down', reason],
  ]);
});
