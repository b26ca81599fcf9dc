import { expect, test } from 'vitest';
import { readSimulatorConfig } from '../../src/simulator/config.ts';

test('without settings it is the earlier systems’ symbols on port 8090 of loopback', () => {
  expect(readSimulatorConfig({}, {})).toMatchObject({
    host: '127.0.0.1',
    port: 8090,
    seed: 'tradewind',
    recordFile: undefined,
    logLevel: 'info',
  });
  expect(readSimulatorConfig({}, {}).symbols).toEqual(
    expect.arrayContaining(['BTCUSDT', 'PEPEUSDT', 'LTCBTC', 'TONUSDT']),
  );
});

test('the environment and the flags decide', () => {
  const environment = { SIMULATOR_PORT: '0', SIMULATOR_SYMBOLS: 'ltcbtc, 这是测试币456' };
  expect(readSimulatorConfig(environment, { record: 'x.gz' })).toMatchObject({
    port: 0,
    symbols: ['LTCBTC', '这是测试币456'],
    recordFile: 'x.gz',
  });
});

test.each([
  [{ SIMULATOR_PORT: '70000' }, /SIMULATOR_PORT: expected an integer/],
  [{ SIMULATOR_SYMBOLS: 'BTC/USDT' }, /SIMULATOR_SYMBOLS: expected symbols/],
  [{ SIMULATOR_REQUEST_WEIGHT: '0' }, /SIMULATOR_REQUEST_WEIGHT: expected an integer/],
  [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL: expected one of/],
])('%j is refused', (environment, message) => {
  expect(() => readSimulatorConfig(environment, {})).toThrow(message);
});
