import type { Clock, Micros } from '../../../src/base/clock.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { parseSum } from '../../../src/base/decimal.ts';
import type { Execution } from '../../../src/domain/execution.ts';
import type { Order } from '../../../src/domain/order.ts';
import type { DecidedEvent, OrderLog } from '../../../src/order/order-log.ts';
import type { ShardLeases } from '../../../src/order/shard-leases.ts';
import { HaltStore } from '../../../src/store/order/halt-store.ts';
import type { LogEntry } from '../../../src/store/order/log-reader.ts';
import { LogReader } from '../../../src/store/order/log-reader.ts';
import { OrderLogStore } from '../../../src/store/order/order-log-store.ts';
import { OrderReader } from '../../../src/store/order/order-reader.ts';
import { ShardLeaseStore } from '../../../src/store/order/shard-lease-store.ts';
import { openTestDatabase } from '../../support/postgres.ts';
import { TwinOrderLog } from '../../support/twin-order-log.ts';

/** An order log, and what else a test of it asks for. */
export type OrderLogDoor = AsyncDisposable & {
  readonly log: OrderLog;
  leasesOf(owner: string, clock?: Clock): ShardLeases;
  halt(account?: string): Promise<unknown>;
  resume(account?: string): Promise<unknown>;
  /** As if the owner had not renewed for the duration of a lease. */
  expireOwner(owner: string): Promise<unknown>;
  listEvents(): Promise<readonly DecidedEvent[]>;
  listExecutions(): Promise<readonly Execution[]>;
  getOrder(order: Order): Promise<Order | undefined>;
};

export function openTwinDoor(): Promise<OrderLogDoor> {
  const log = new TwinOrderLog(systemClock);
  return Promise.resolve({
    log,
    leasesOf: (owner, clock) => log.leasesOf(owner, `http://${owner}`, clock),
    halt: (account) => Promise.resolve(log.halt(account)),
    resume: (account) => Promise.resolve(log.resume(account)),
    expireOwner: (owner) => Promise.resolve(log.expireOwner(owner)),
    listEvents: () => Promise.resolve(log.events),
    listExecutions: () => Promise.resolve(log.executions),
    getOrder: ({ orderId }) => Promise.resolve(log.orders.get(orderId)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

export async function openPostgresDoor(): Promise<
  OrderLogDoor & { readonly database: Awaited<ReturnType<typeof openTestDatabase>> }
> {
  const database = await openTestDatabase();
  const reader = new OrderReader(database);
  const halts = new HaltStore(database);
  return {
    database,
    log: new OrderLogStore(database),
    leasesOf: (owner, clock = systemClock) =>
      new ShardLeaseStore({ database, clock, owner, address: `http://${owner}` }),
    halt: (account) => halts.halt(account, 'a test'),
    resume: (account) => halts.resume(account),
    expireOwner: (owner) =>
      database.run((sql) => sql`update shard_owner set expires_at = now() where owner = ${owner}`),
    listEvents: async () => {
      const log = new LogReader(database);
      const entries: LogEntry[] = [];
      for (let page = await log.readAfter(0, 1_000); page.length > 0;) {
        entries.push(...page);
        page = await log.readAfter(page.at(-1)?.position ?? 0, 1_000);
      }
      return entries.flatMap((entry) =>
        entry.type === 'order' ? { event: entry.event, order: entry.order } : [],
      );
    },
    listExecutions: async () => {
      const rows = await database.run(
        (sql) => sql<StoredExecution>`
        select account, instrument, source, source_id, quantity, price, fee, executed_time
        from execution order by source_id`,
      );
      return rows.map((row) => ({
        account: row.account,
        instrument: row.instrument,
        source: row.source,
        sourceId: row.source_id,
        quantity: parseSum(row.quantity),
        price: parseSum(row.price),
        fee: parseSum(row.fee),
        executedTime: row.executed_time,
      }));
    },
    getOrder: async ({ orderId, account }) => {
      const { splits: _, ...order } = (await reader.get({ account, orderId })) ?? {};
      return 'orderId' in order ? order : undefined;
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

type StoredExecution = {
  readonly account: string;
  readonly instrument: string;
  readonly source: string;
  readonly source_id: string;
  readonly quantity: string;
  readonly price: string;
  readonly fee: string;
  readonly executed_time: Micros;
};
