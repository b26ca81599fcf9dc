import { expect, test } from 'vitest';
import { OrderSide, TimeInForce } from '../../gen/tradewind/order/v1/order_pb.ts';
import type { OrderClient } from '../../src/rpc/client.ts';
import type { Database } from '../../src/store/database.ts';
import { eventually } from '../support/eventually.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { OrderMarketplace, OrderServer, insist } from './order-servers.ts';

/** Of shards of both halves: 15, 10, 3 and 1. */
const symbols = ['BNBUSDT', 'BTCUSDT', 'PEPEUSDT', 'ETHBTC'];

/** How long it takes until an order in each instrument is accepted. */
async function takeoverMs(orders: OrderClient): Promise<number> {
  const startMs = performance.now();
  await Promise.all(
    symbols.map((instrument) =>
      insist(
        () => Promise.resolve(orders),
        (client) =>
          client.submitLimitOrder({
            instrument,
            side: OrderSide.SELL,
            quantity: '1',
            limitPrice: '200',
            timeInForce: TimeInForce.GTC,
          }),
      ),
    ),
  );
  return performance.now() - startMs;
}

/** How many shards each server has that has any. */
async function shardCounts(database: Database): Promise<readonly number[]> {
  const rows = await database.run(
    (sql) => sql<{ count: number }>`
      select count(*) as count from shard_lease where owner is not null group by owner`,
  );
  return rows.map(({ count }) => count);
}

test('another server takes over: at once from one that stops, within seconds from one that is killed', async () => {
  await using database = await openTestDatabase();
  await using marketplace = await OrderMarketplace.open(database.url, symbols);
  await using stack = new AsyncDisposableStack();
  const start = async () => {
    const server = await marketplace.startServer();
    if (!(server instanceof OrderServer)) throw new Error(`It ended before it served: ${server}`);
    return stack.use(server);
  };
  const [one, two] = [await start(), await start()];
  await takeoverMs(two.client.orders);

  await one.kill('SIGTERM');
  const stopped = await takeoverMs(two.client.orders);
  const three = await start();
  await eventually(async () => expect(await shardCounts(database)).toEqual([8, 8]));
  await takeoverMs(three.client.orders);
  await two.kill('SIGKILL');
  const killed = await takeoverMs(three.client.orders);
  console.log(
    `takeover after a stop ${Math.round(stopped)} ms, after a kill ${Math.round(killed)} ms`,
  );
  // A lease lasts five seconds, and is looked at every second; the rest is leave for a busy machine.
  expect(stopped).toBeLessThan(5_000);
  expect(killed).toBeLessThan(15_000);
});
