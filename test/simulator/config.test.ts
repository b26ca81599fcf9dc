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

test('the exchanges of JSON lines are on the ports that MarketFlow names', () => {
  expect(readSimulatorConfig({}, {})).toMatchObject({
    exchangePorts: [40_101, 40_102, 40_103],
    exchangeSymbols: ['BTCUSDT', 'DOGEUSDT', 'TONUSDT', 'SOLUSDT', 'ETHUSDT'],
    exchangeRate: 10,
  });
});

test.each([
  [{ SIMULATOR_PORT: '0' }, [0, 0, 0]],
  [{ SIMULATOR_PORT: '0', SIMULATOR_EXCHANGE_PORTS: '7, 8' }, [7, 8]],
  [{ SIMULATOR_EXCHANGE_PORTS: ' 0 0  0 0 ' }, [0, 0, 0, 0]],
])('with %j the exchanges are on the ports %j', (environment, expected) => {
  expect(readSimulatorConfig(environment, {}).exchangePorts).toEqual(expected);
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
  [{ SIMULATOR_EXCHANGE_PORTS: '1 2 x' }, /SIMULATOR_EXCHANGE_PORTS: expected 1 to 10 ports/],
  [{ SIMULATOR_EXCHANGE_PORTS: '70000' }, /SIMULATOR_EXCHANGE_PORTS: expected 1 to 10 ports/],
  [{ SIMULATOR_EXCHANGE_PORTS: '0 '.repeat(11) }, /SIMULATOR_EXCHANGE_PORTS: expected 1 to 10/],
  [{ SIMULATOR_EXCHANGE_SYMBOLS: 'BTC/USDT' }, /SIMULATOR_EXCHANGE_SYMBOLS: expected symbols/],
  [{ SIMULATOR_EXCHANGE_RATE: '100001' }, /SIMULATOR_EXCHANGE_RATE: expected an integer/],
  [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL: expected one of/],
])('%j is refused', (environment, message) => {
  expect(() => readSimulatorConfig(environment, {})).toThrow(message);
});
