import { expect, test } from 'vitest';
import type { ConnectionState } from '../../src/exchange/connection-status.ts';
import type { Feed } from '../../src/exchange/feed.ts';
import { jsonLinesRest } from '../../src/exchange/json-lines/rest.ts';
import type { FeedState } from '../../src/market/instrument-state.ts';
import { readServerConfig } from '../../src/server/config.ts';
import { healthOf } from '../../src/server/server-health.ts';
import type { HealthParts } from '../../src/server/server-health.ts';

const { exchanges } = readServerConfig({
  BINANCE_SYMBOLS: 'BTCUSDT',
  COINBASE_SYMBOLS: 'BTC-USD',
  EXCHANGE1_PORT: '1',
  EXCHANGE_SYMBOLS: 'BTCUSDT',
});

/** A feed whose connections are in these states, the worst one first. */
function feedOf(exchangeName: string, states: readonly ConnectionState[], restStop?: string): Feed {
  const connections = states.map((state) => ({
    name: `${exchangeName}-1`,
    instruments: [],
    state,
    reason: state === 'open' ? 'Connected' : 'It is away',
    since: 1,
    attempts: 0,
    nextAttempt: undefined,
  }));
  const { state = 'connecting', reason = '' } = connections[0] ?? {};
  return {
    exchangeName,
    rest: jsonLinesRest,
    limits: () => new Map(),
    instrumentTroubles: () => new Map(),
    status: () => ({
      exchangeName,
      state,
      reason,
      since: 1,
      attempts: 0,
      connections,
      counters: {
        frames: 0,
        ignoredFrames: 0,
        badFrames: { unreadable: 0, binary: 0, field: 0, time: 0 },
        reconnects: 0,
      },
      samples: [],
      restStop,
    }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function statusOf(instrument: string, state: FeedState) {
  const reason = state === 'live' ? '' : 'Nothing shows';
  return {
    instrument,
    state,
    reason,
    lastTrade: undefined,
    tradesReceived: 0,
    tradesMissing: 0,
  };
}

const up = { isUp: true, reason: '' };
const away = { isUp: false, reason: 'It is away' };
const whole: HealthParts = {
  mode: 'TEST',
  exchanges,
  feeds: [feedOf('sim-binance', ['open']), feedOf('sim-exchange1', ['open'])],
  statuses: [statusOf('sim-binance:BTCUSDT', 'live'), statusOf('sim-exchange1:BTCUSDT', 'quiet')],
  database: up,
  replica: undefined,
  cache: { state: 'ok', reason: '' },
  orderTrouble: undefined,
};

const bothDown = [feedOf('sim-binance', ['waiting']), feedOf('sim-exchange1', ['refused'])];

test.each<[what: string, parts: Partial<HealthParts>, status: string, told: string]>([
  ['all is well', {}, 'ok', 'ok off ok ok ok'],
  [
    'nothing else is configured',
    { database: undefined, cache: { state: 'off', reason: 'None is configured' } },
    'ok',
    'ok off ok off off',
  ],
  [
    'Redis is away',
    { cache: { state: 'degraded', reason: 'away' } },
    'degraded',
    'ok off ok ok degraded',
  ],
  ['Postgres is away', { database: away }, 'down', 'ok off ok down ok'],
  ['only the replica is away', { replica: away }, 'degraded', 'ok off ok degraded ok'],
  [
    'no orders are decided',
    { orderTrouble: 'The clock is off' },
    'degraded',
    'ok off ok degraded ok',
  ],
  [
    'one feed is away',
    { feeds: [feedOf('sim-binance', ['waiting']), feedOf('sim-exchange1', ['open'])] },
    'degraded',
    'down off ok ok ok',
  ],
  ['every feed is away', { feeds: bothDown }, 'down', 'down off down ok ok'],
  ['no feed is opened yet', { feeds: [] }, 'down', 'down off down ok ok'],
  [
    'one connection of a feed is away',
    { feeds: [feedOf('sim-binance', ['waiting', 'open']), feedOf('sim-exchange1', ['open'])] },
    'degraded',
    'degraded off ok ok ok',
  ],
  [
    'an exchange is not asked',
    { feeds: [feedOf('sim-binance', ['open'], 'Banned'), feedOf('sim-exchange1', ['open'])] },
    'degraded',
    'degraded off ok ok ok',
  ],
  [
    'an instrument is stale',
    { statuses: [statusOf('sim-exchange1:BTCUSDT', 'stale')] },
    'degraded',
    'ok off degraded ok ok',
  ],
  ['only the other mode’s feeds are open', { mode: 'LIVE' }, 'down', 'down down down ok ok'],
])('where %s', (_, parts, status, told) => {
  const health = healthOf({ ...whole, ...parts });
  const items = [...health.feeds, health.postgres, health.redis];
  expect([health.status, items.map((item) => item.status).join(' ')]).toEqual([status, told]);
  for (const item of items) expect(item.reason === '').toBe(item.status === 'ok');
});

test('what is off and what is not as it should be says why', () => {
  const statuses = [statusOf('sim-exchange1:BTCUSDT', 'stale')];
  expect(healthOf({ ...whole, statuses }).feeds).toEqual([
    { exchange: 'sim-binance', status: 'ok', reason: '', since: 1 },
    {
      exchange: 'coinbase',
      status: 'off',
      reason: 'The simulator does not speak for it',
      since: undefined,
    },
    {
      exchange: 'sim-exchange1',
      status: 'degraded',
      reason: '1 of 1 instruments, sim-exchange1:BTCUSDT first: Nothing shows',
      since: 1,
    },
  ]);
});
