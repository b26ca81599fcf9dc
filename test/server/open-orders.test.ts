import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openMetrics } from '../../src/base/metrics.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { InstrumentDirectory } from '../../src/rpc/instrument-directory.ts';
import { readServerConfig } from '../../src/server/config.ts';
import { openOrders } from '../../src/server/open-orders.ts';
import { eventually } from '../support/eventually.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { aRequest, instrument } from '../support/twin-desk.ts';

test('orders are stored while more is read than the readers’ connections take', async () => {
  await using stack = new AsyncDisposableStack();
  const metrics = openMetrics({ processMetrics: false });
  const config = readServerConfig({ DATABASE_URL: await createTestDatabase() });
  const opened = openOrders(
    config,
    {
      market: { bookTicker: () => undefined, outageOf: () => undefined },
      limitsOf: () => undefined,
      restOf: () => undefined,
      directory: new InstrumentDirectory([instrument], 'binance'),
    },
    { clock: systemClock, logger: silentLogger, metrics },
    stack,
  );
  if (opened === undefined) throw new Error('Expected a database to be configured');
  opened.start('http://127.0.0.1:1', stack);
  const { desk, orders } = opened.service;
  await eventually(() => desk.submit(aRequest()));

  const query = { account: 'default', limit: 1_000, splits: 100 };
  let refused = 0;
  for (let round = 0; round < 2; round++) {
    // Far more at once than can be answered before the first append goes out.
    const lists = Array.from({ length: 300 }, async () => {
      await orders.list(query).catch((error: unknown) => {
        expect(error).toBeInstanceOf(Refusal);
        refused++;
      });
    });
    await Promise.all(Array.from({ length: 50 }, () => desk.submit(aRequest())));
    await Promise.all(lists);
  }
  expect(refused).toBe(2 * (300 - 256));
  expect(await metrics.metrics()).toContain('tradewind_order_shard_reloads_total 0');
});
