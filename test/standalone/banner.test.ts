import { expect, test } from 'vitest';
import { banner } from '../../src/standalone/banner.ts';

const addresses = {
  pid: 1,
  server: 'http://127.0.0.1:8081',
  simulator: 'http://127.0.0.1:8090',
  database: 'postgres://tradewind:…@127.0.0.1:5433/tradewind',
};

test('what npm start says names plain HTTP, and a request that goes to the port it got', () => {
  const text = banner(addresses, 'TEST');
  expect(text).toContain('plain HTTP');
  expect(text).toContain('\n  curl http://127.0.0.1:8081/prices/latest/BTCUSDT\n');
});
