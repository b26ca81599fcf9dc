import pg from 'pg';
import type { Micros } from '../base/clock.ts';
import { parseSum } from '../base/decimal.ts';
import type { Order } from '../domain/order.ts';
import type {
  AppendOutcome,
  ConsumedLevel,
  DecidedEvent,
  Halts,
  OrderBatch,
  OrderLog,
  ShardContents,
  ShardLease,
} from '../order/order-log.ts';
import type { Database, Sql } from './database.ts';
import { readHalts } from './halt-store.ts';
import { eventColumns } from './order-event-row.ts';
import { orderColumnsOf, orderFromRow } from './order-row.ts';
import type { StoredOrder } from './order-row.ts';

/** Open orders are read in pages: one answer of all of them could be of any size. */
const ordersPerPage = 10_000;

const parameters = Array.from({ length: 23 }, (_, index) => `$${index + 1}`).join(', ');
const appendEvents = `
  select outcome, to_json(left_out) as left_out from append_order_events(${parameters})`;

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

  constructor(database: Database) {
    this.#database = database;
  }

  async append({ lease, haltRevision, events }: OrderBatch): Promise<AppendOutcome> {
    const { shard, owner, epoch } = lease;
    const values = [shard, owner, epoch, haltRevision, ...eventColumns(events)];
    try {
      return await this.#database.run(async (sql) => {
        const [answer] = await sql.text<Appended>(appendEvents, values);
        if (answer === undefined) throw new Error('Expected an answer to an append, got none');
        if (answer.outcome !== 'committed') return { type: 'refused', reason: answer.outcome };
        const leftOut = (answer.left_out ?? []).map((number) => events[number - 1]);
        return { type: 'committed', duplicates: await readDuplicates(sql, leftOut) };
      });
    } catch (error) {
      if (isOutOfStep(error)) return { type: 'refused', reason: 'outOfStep' };
      throw error;
    }
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

  async now(): Promise<Micros> {
    const [row] = await this.#database.run(
      (sql) => sql<{ now: Micros }>`select clock_timestamp() as now`,
    );
    if (row === undefined) throw new Error('Expected the time, got none');
    return row.now;
  }
}

type Appended = {
  readonly outcome: 'committed' | 'leaseLost' | 'haltsChanged';
  /** The numbers, from 1, of acceptances whose client order id was taken. */
  readonly left_out: readonly number[] | null;
};

/** The orders that have the client order ids of what was left out, by the order ids left out. */
async function readDuplicates(
  sql: Sql,
  leftOut: readonly (DecidedEvent | undefined)[],
): Promise<ReadonlyMap<string, Order>> {
  const duplicates = new Map<string, Order>();
  for (const decided of leftOut) {
    if (decided === undefined) continue;
    const { orderId, account, clientOrderId } = decided.order;
    const [row] = await sql.text<StoredOrder>(
      `select ${orderColumnsOf('o')} from orders o where account = $1 and client_order_id = $2`,
      [account, clientOrderId ?? null],
    );
    if (row !== undefined) duplicates.set(orderId, orderFromRow(row));
  }
  return duplicates;
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

/** What an append meets that was decided on something else than what is stored. */
function isOutOfStep(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  const { code, constraint = '' } = error;
  // The keys: an acceptance, or an event of the version, is stored already.
  const keys = ['orders_pkey', 'order_event_order_id_version_key'];
  return code === 'TW001' || (code === '23505' && keys.includes(constraint));
}
