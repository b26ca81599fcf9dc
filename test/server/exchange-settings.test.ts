import { describe, expect, test } from 'vitest';
import { exchangesOf, followedIn } from '../../src/server/configured-exchange.ts';
import { readServerConfig } from '../../src/server/config.ts';

type Environment = Readonly<Record<string, string>>;

/** What is followed in each mode, by name. */
function followedBy(environment: Environment) {
  const { exchanges } = readServerConfig(environment);
  return {
    live: followedIn('LIVE', exchanges).exchanges,
    test: followedIn('TEST', exchanges).exchanges,
  };
}

describe('exchanges that are followed', () => {
  test.each<[what: string, environment: Environment, live: string[], test: string[]]>([
    ['nothing is set', {}, ['binance'], ['sim-binance']],
    ['Coinbase is', { COINBASE_SYMBOLS: 'BTC-USD' }, ['coinbase'], []],
    [
      'all are',
      {
        BINANCE_SYMBOLS: 'BTCUSDT',
        COINBASE_SYMBOLS: 'BTC-USD',
        KRAKEN_SYMBOLS: 'BTC/USD',
        EXCHANGE2_PORT: '40102',
      },
      ['binance', 'coinbase', 'kraken', 'exchange2'],
      ['sim-binance', 'sim-exchange2'],
    ],
    [
      'MarketFlow’s own file is',
      {
        EXCHANGE1_PORT: '40101',
        EXCHANGE1_NAME: 'exchange1',
        EXCHANGE2_PORT: '40102',
        EXCHANGE2_NAME: 'exchange2',
        EXCHANGE3_PORT: '40103',
        // There is one spelling of it.
        EXCHANGE3_NAME: 'Other',
      },
      ['exchange1', 'exchange2', 'other'],
      ['sim-exchange1', 'sim-exchange2', 'sim-other'],
    ],
    [
      'the simulator’s ports are',
      { BINANCE_SYMBOLS: 'BTCUSDT', SIMULATOR_EXCHANGE_PORTS: '0 0' },
      ['binance'],
      ['sim-binance', 'sim-exchange1', 'sim-exchange2'],
    ],
    [
      'a simulator runs that has fewer',
      {
        EXCHANGE1_PORT: '1',
        EXCHANGE2_PORT: '2',
        SIMULATOR_URL: 'http://127.0.0.1:8090',
        SIMULATOR_EXCHANGE_PORTS: '3',
      },
      ['exchange1', 'exchange2'],
      ['sim-exchange1'],
    ],
  ])('where %s', (_, environment, live, simulated) => {
    expect(followedBy(environment)).toEqual({ live, test: simulated });
  });

  test('are where they are configured, or where the simulator is', () => {
    const { exchanges } = readServerConfig({
      BINANCE_SYMBOLS: 'btcusdt',
      KRAKEN_SYMBOLS: 'XBT/USD',
      KRAKEN_REST_BASE_URL: 'http://127.0.0.1:1',
      EXCHANGE1_HOST: 'prices',
      EXCHANGE1_PORT: '40101',
      EXCHANGE_SYMBOLS: 'TONUSDT',
    });
    expect(exchangesOf('LIVE', exchanges, undefined)).toMatchObject([
      {
        instruments: ['binance:BTCUSDT'],
        source: { restBaseUrl: 'https://data-api.binance.vision' },
      },
      {
        instruments: ['kraken:BTCUSD'],
        source: { webSocketBaseUrl: 'wss://ws.kraken.com', restBaseUrl: 'http://127.0.0.1:1' },
      },
      {
        instruments: ['exchange1:TONUSDT'],
        source: { type: 'lines', address: { host: 'prices', port: 40_101 } },
      },
    ]);
    const simulator = { url: 'http://[::1]:8090', exchangePorts: [50_101] };
    expect(exchangesOf('TEST', exchanges, simulator)).toMatchObject([
      {
        instruments: ['sim-binance:BTCUSDT'],
        source: { webSocketBaseUrl: 'ws://[::1]:8090', restBaseUrl: 'http://[::1]:8090' },
      },
      {
        instruments: ['sim-exchange1:TONUSDT'],
        source: { type: 'lines', address: { host: '::1', port: 50_101 } },
      },
    ]);
  });
});

const many = Array.from({ length: 300 }, (_, index) => `A${index}`).join(' ');

test.each<[what: string, environment: Environment, message: string]>([
  ['a pair of three', { COINBASE_SYMBOLS: 'BTC-USD-X' }, 'COINBASE_SYMBOLS: expected pairs like'],
  ['a pair with a colon', { KRAKEN_SYMBOLS: 'BTC:USD' }, 'KRAKEN_SYMBOLS: expected pairs like'],
  ['a name of two words', { EXCHANGE1_NAME: 'an exchange' }, 'EXCHANGE1_NAME: expected letters'],
  ['the name of a twin', { EXCHANGE1_NAME: 'sim-a' }, 'EXCHANGE1_NAME: expected letters'],
  [
    'two of one name',
    { EXCHANGE1_PORT: '1', EXCHANGE2_PORT: '2', EXCHANGE2_NAME: 'exchange1' },
    'expected names that differ, got exchange1 twice',
  ],
  [
    'the name of an exchange that is there',
    { BINANCE_SYMBOLS: 'BTCUSDT', EXCHANGE1_PORT: '1', EXCHANGE1_NAME: 'binance' },
    'expected names that differ, got binance twice',
  ],
  ['no symbol', { BINANCE_SYMBOLS: ' ' }, 'expected 1 to 500 symbols over all exchanges, got 0'],
  [
    'too many together',
    { BINANCE_SYMBOLS: many, COINBASE_SYMBOLS: many },
    'expected 1 to 500 symbols over all exchanges, got 600',
  ],
  [
    'a mode that nothing is followed in',
    { MODE: 'TEST', COINBASE_SYMBOLS: 'BTC-USD' },
    'MODE: expected BINANCE_SYMBOLS or EXCHANGE1_PORT to be set for TEST',
  ],
  [
    'a free port of a simulator that runs',
    { SIMULATOR_URL: 'http://127.0.0.1:8090', SIMULATOR_EXCHANGE_PORTS: '0' },
    'SIMULATOR_EXCHANGE_PORTS: expected the ports of SIMULATOR_URL, got 0',
  ],
])('%s is refused, saying what was expected', (_, environment, message) => {
  expect(() => readServerConfig(environment)).toThrow(message);
});

test('a simulator of its own pushes what is followed, unless it was told what else to push', () => {
  const pushed = (environment: Environment) => {
    const { simulator } = readServerConfig({ EXCHANGE3_PORT: '1', ...environment });
    if (simulator.type !== 'own') throw new Error('Expected none to run');
    const { environment: own, exchanges } = simulator;
    return [own['SIMULATOR_EXCHANGE_SYMBOLS'], exchanges];
  };
  expect(pushed({ EXCHANGE_SYMBOLS: 'TONUSDT SOLUSDT' })).toEqual(['TONUSDT SOLUSDT', 3]);
  expect(pushed({ SIMULATOR_EXCHANGE_SYMBOLS: 'BTCUSDT' })).toEqual(['BTCUSDT', 3]);
});
