import { expect, test } from 'vitest';
import { readPersistorConfig } from '../../src/persistor/config.ts';

const url = 'postgres://user:password@127.0.0.1:5432/tradewind';

test('only the database must be said', () => {
  expect(readPersistorConfig({ DB_WRITE_DSN: url })).toMatchObject({
    serverAddress: '127.0.0.1:8080',
    databaseUrl: url,
    name: 'candles',
    bounds: { batchRows: 5_000, batchLatencyMs: 100, bufferRows: 50_000 },
    retention: { '1s': 7, '1m': 0, '1M': 0 },
    aggregatorWindow: '1m',
    metricsPort: 0,
  });
  expect(() => readPersistorConfig({})).toThrow('DATABASE_URL: expected the URL of a Postgres');
});

test('the minute and the month are kept apart', () => {
  const { retention } = readPersistorConfig({
    DATABASE_URL: url,
    RETENTION_1M: '30',
    RETENTION_1MO: '400',
  });
  expect(retention).toMatchObject({ '1m': 30, '1M': 400 });
});

test.each([
  ['SERVER_ADDRESS', 'ftp://x', "Expected a server's address"],
  ['DATABASE_URL', 'mysql://x', 'expected a URL beginning with postgres://'],
  ['RETENTION_1S', '-1', 'expected an integer from 0 to 36500'],
  ['PERSISTOR_BATCH_ROWS', '0', 'expected an integer from 1 to 50000'],
])('%s=%s is refused', (key, value, message) => {
  expect(() => readPersistorConfig({ DATABASE_URL: url, [key]: value })).toThrow(message);
});

test('a database can be named in parts, unless it is named whole', () => {
  const parts = { DB_HOST: 'db', DB_USER: 'user', DB_PASSWORD: 'p:w/d', DB_NAME: 'marketflow' };
  expect(readPersistorConfig(parts).databaseUrl).toBe(
    'postgres://user:p%3Aw%2Fd@db:5432/marketflow',
  );
  const whole = { ...parts, DB_WRITE_DSN: 'postgres://127.0.0.1:1/x' };
  expect(readPersistorConfig(whole).databaseUrl).toBe('postgres://127.0.0.1:1/x');
  expect(() => readPersistorConfig({ ...parts, DB_PORT: 'x' })).toThrow('DB_PORT: expected');
});
