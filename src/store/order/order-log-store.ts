import { parseSum } from '../../base/decimal.ts';
import type { Order } from '../../domain/order.ts';
import type {
  AppendOutcome,
  ConsumedLevel,
  Halts,
  OrderBatch,
  OrderLog,
  ShardContents,
  ShardLease,
} from '../../order/order-log.ts';
import type { Database, Sql } from '../database.ts';
import { readHalts } from './halt-store.ts';
import { orderColumnsOf, orderFromRow } from './order-row.ts';
import type { StoredOrder } from './order-row.ts';
import { SharedAppends } from './order-appends.ts';

/** Open orders are read in pages: one answer of all of them could be of any size. */
const ordersPerPage = 10_000;

/**
 * What the batches of several shards may add up to in one append; beyond it they wait for the next
 * one. As many as one shard may send: larger ones would only keep everybody waiting longer.
 */
const eventsPerAppend = 4_096;

const selectOpen = `
  select e.log_position, ${orderColumnsOf('o')}
  from orders o
  join order_event e on e.order_id = o.order_id and e.version = 1
  where o.shard = $1 and o.status in ('open', 'partiallyFilled') and e.log_position > $2
  order by e.log_position
  limit $3`;

/** The order log in Postgres. */
export class OrderLogStore implements OrderLog {
  readonly #database: Database;
  readonly #appends: SharedAppends;

  constructor(database: Database) {
    this.#database = database;
    this.#appends = new SharedAppends(database, eventsPerAppend);
  }

  append(batch: OrderBatch): Promise<AppendOutcome> {
    return this.#appends.append(batch);
  }

  load({ shard, owner }: ShardLease): Promise<ShardContents | undefined> {
    return this.#database.run(async (sql) => {
      // Waits for an append that holds the row, and has those refused that come later. After it the
      // shard does not change any more, so that what follows need not be one statement.
      const [raised] = await sql<{ epoch: number }>`
        update shard_lease set epoch = epoch + 1 where shard = ${shard} and owner = ${owner}
        returning epoch`;
      if (raised === undefined) return undefined;
      return {
        lease: { shard, owner, epoch: raised.epoch },
        orders: await readOpen(sql, shard),
        consumed: await readConsumed(sql, shard),
        halts: await readHalts(sql),
      };
    });
  }

  readHalts(): Promise<Halts> {
    return this.#database.run(readHalts);
  }
}

async function readOpen(sql: Sql, shard: number): Promise<Order[]> {
  const orders: Order[] = [];
  for (let after = 0; ;) {
    const page = await sql.text<StoredOrder & { readonly log_position: number }>(selectOpen, [
      shard,
      after,
      ordersPerPage,
    ]);
    for (const row of page) orders.push(orderFromRow(row));
    if (page.length < ordersPerPage) return orders;
    after = page.at(-1)?.log_position ?? after;
  }
}

async function readConsumed(sql: Sql, shard: number): Promise<ConsumedLevel[]> {
  const rows = await sql<StoredLevel>`
    select instrument, side, update_id, price, displayed_quantity, consumed from consumed_level
    where shard = ${shard}
    order by instrument, side`;
  return rows.map((row) => ({
    instrument: row.instrument,
    side: row.side,
    updateId: row.update_id,
    price: parseSum(row.price),
    displayedQuantity: parseSum(row.displayed_quantity),
    consumed: parseSum(row.consumed),
  }));
}

type StoredLevel = {
  readonly instrument: string;
  readonly side: ConsumedLevel['side'];
  readonly update_id: number;
  readonly price: string;
  readonly displayed_quantity: string;
  readonly consumed: string;
};
