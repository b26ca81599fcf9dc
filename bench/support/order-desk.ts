import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '../../src/base/clock.ts';
import { parseDecimal } from '../../src/base/decimal.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { OrderManager } from '../../src/order/order-manager.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { Database } from '../../src/store/database.ts';
import { openEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { OrderLogStore } from '../../src/store/order/order-log-store.ts';
import { OrderReader } from '../../src/store/order/order-reader.ts';
import { ShardLeaseStore } from '../../src/store/order/shard-lease-store.ts';

export type BenchDesk = {
  readonly manager: OrderManager;
  readonly orders: OrderReader;
  readonly database: Database;
  readonly url: string;
  /** Further connections to its Postgres. */
  readonly open: (poolSize: number) => Database;
};

const surroundings = { clock: systemClock, logger: silentLogger };
/** Until all shards are taken: a round of renewals. */
const takingMs = 1_500;

/**
 * An order manager as the server has it, over a Postgres of its own, on a market where nothing is
 * filled: what is measured is the way to the acceptance. `stack` closes all of it.
 */
export async function openBenchDesk(stack: AsyncDisposableStack): Promise<BenchDesk> {
  const directory = mkdtempSync(join(tmpdir(), 'tradewind-bench-'));
  chmodSync(directory, 0o755);
  stack.defer(() => rmSync(directory, { recursive: true }));
  const { url } = stack.use(await openEmbeddedPostgres({ directory, ...surroundings }));
  await migrate({ url, direction: 'up', logger: silentLogger });
  const open = (poolSize: number) =>
    stack.use(openDatabase({ url, program: 'bench', poolSize, ...surroundings }));
  const database = open(8);
  const orders = new OrderReader(database);
  const manager = stack.use(
    new OrderManager({
      log: new OrderLogStore(database),
      orders,
      market: {
        tickerOf: () => ({ type: 'awaited' }),
        lastTickerOf: () => undefined,
        limitsOf: () => ({ tickSize: undefined, lotSize: undefined, minimumNotional: undefined }),
        askTicker: () => Promise.resolve(undefined),
      },
      limits: {
        maximumNotional: parseDecimal('1000000'),
        priceCollarPercent: undefined,
        maximumOpenOrders: 1_000_000,
        maximumPendingOrders: 10_000,
      },
      random: Math.random,
      reach: () => {},
      ...surroundings,
    }),
  );
  const owner = { database: open(1), clock: systemClock, owner: 'bench', address: 'http://bench' };
  manager.start(new ShardLeaseStore(owner));
  await sleep(systemClock, takingMs);
  return { manager, orders, database, url, open };
}
