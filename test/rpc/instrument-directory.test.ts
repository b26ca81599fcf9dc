import { describe, expect, test } from 'vitest';
import { InstrumentDirectory } from '../../src/rpc/instrument-directory.ts';

const live = {
  exchanges: ['binance', 'coinbase'],
  instruments: ['binance:BTCUSDT', 'coinbase:BTCUSD', 'binance:ETHUSDT'],
};
const simulated = {
  exchanges: ['sim-binance', 'sim-exchange1'],
  instruments: ['sim-binance:BTCUSDT', 'sim-binance:ETHUSDT', 'sim-exchange1:BTCUSDT'],
};

const inLive = new InstrumentDirectory(live.instruments, 'binance', simulated.instruments);
const inTest = new InstrumentDirectory(live.instruments, 'binance', simulated.instruments);
inTest.switchTo(simulated);

describe.each([
  ['LIVE', inLive],
  ['TEST', inTest],
] as const)('in %s mode', (mode, directory) => {
  test.each<[text: string, live: string | undefined, test: string | undefined]>([
    ['BTCUSDT', 'binance:BTCUSDT', 'sim-binance:BTCUSDT'],
    ['btcusdt', 'binance:BTCUSDT', 'sim-binance:BTCUSDT'],
    ['binance:ethusdt', 'binance:ETHUSDT', 'sim-binance:ETHUSDT'],
    // Its own name, whatever mode is on.
    ['sim-binance:BTCUSDT', 'sim-binance:BTCUSDT', 'sim-binance:BTCUSDT'],
    ['coinbase:BTCUSD', 'coinbase:BTCUSD', 'coinbase:BTCUSD'],
    // Nobody who names a real exchange is to trade on a simulated one.
    ['exchange1:BTCUSDT', undefined, 'sim-exchange1:BTCUSDT'],
    ['BTCUSD', undefined, undefined],
    ['kraken:BTCUSDT', undefined, undefined],
  ])('%s is the instrument that is meant', (text, expectedLive, expectedTest) => {
    expect(directory.find(text)).toBe(mode === 'LIVE' ? expectedLive : expectedTest);
  });
});

test('the names are those of the mode that is on, and another array after a switch', () => {
  const directory = new InstrumentDirectory(live.instruments, 'binance', simulated.instruments);
  const before = directory.names;
  expect(before).toEqual(['binance:BTCUSDT', 'binance:ETHUSDT', 'coinbase:BTCUSD']);
  expect(directory.names).toBe(before);
  directory.switchTo(simulated);
  expect(directory.names).not.toBe(before);
  expect(directory.names).toEqual(simulated.instruments);
  expect(directory.defaultExchange).toBe('sim-binance');
});

test('who asks for all gets those of both modes, for a stream outlives a mode', () => {
  expect(inTest.resolveAll('instruments', [])).toEqual([
    'binance:BTCUSDT',
    'binance:ETHUSDT',
    'coinbase:BTCUSD',
    'sim-binance:BTCUSDT',
    'sim-binance:ETHUSDT',
    'sim-exchange1:BTCUSDT',
  ]);
});
