import type { Micros } from '../../base/clock.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { Order, OrderStatus, Split, SplitOrder } from '../../domain/order.ts';
import { Refusal } from '../../domain/refusal.ts';
import { plainColumn, textColumn } from '../column.ts';
import type { Database, Sql } from '../database.ts';
import { orderColumnsOf, orderFromRow, splitColumns, splitFromRow } from './order-row.ts';
import type { StoredOrder, StoredSplit } from './order-row.ts';
import { formatTimestamp } from '../timestamptz.ts';

/** Names an order of an account. */
export type OrderName = { readonly account: string } & (
  | { readonly orderId: string }
  | { readonly clientOrderId: string }
);

/** The place of an order in a list. */
export type OrderKey = { readonly acceptedTime: Micros; readonly orderId: string };

export type OrderQuery = {
  readonly account: string;
  readonly instrument?: InstrumentName | undefined;
  /** None: orders in any state. */
  readonly statuses?: readonly OrderStatus[];
  /** Only orders after this one in the list: the last one of the page before. */
  readonly after?: OrderKey | undefined;
  readonly limit: number;
  /** How many of each order's splits, the last ones. */
  readonly splits: number;
};

/** Whose orders: one order, an account's, or (nothing named) everybody's. */
export type OrderScope = { readonly orderId?: string; readonly account?: string };

export type OrderSnapshot = {
  /** The orders are as the log makes them up to and with this position. */
  readonly position: number;
  /** Without their splits, which may be many: those are read for some at a time. */
  readonly orders: readonly Order[];
};

/** Reads orders, with their splits, as they are stored. Everything throws in an outage. */
export class OrderReader {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * An order with its last splits; undefined where the account has none of this id.
   * @param splits how many at most; all unless it is given
   */
  async get(name: OrderName, splits?: number): Promise<SplitOrder | undefined> {
    const column = 'orderId' in name ? 'order_id' : 'client_order_id';
    const id = 'orderId' in name ? name.orderId : name.clientOrderId;
    const statement = `
      select ${orderColumnsOf('o')} from orders o where account = $1 and ${column} = $2`;
    const [order] = await this.#database.run(async (sql) =>
      withSplits(
        sql,
        (await sql.text<StoredOrder>(statement, [name.account, id])).map(orderFromRow),
        splits,
      ),
    );
    return order;
  }

  /** Orders of an account, the latest accepted first. */
  list(query: OrderQuery): Promise<readonly SplitOrder[]> {
    const { account, instrument, statuses = [], after, limit, splits } = query;
    const conditions = ['account = $1'];
    const values: (string | number)[] = [account];
    const add = (condition: (parameter: string) => string, value: string | number) =>
      conditions.push(condition(`$${values.push(value)}`));
    if (instrument !== undefined) add((parameter) => `instrument = ${parameter}`, instrument);
    if (statuses.length > 0) {
      add((parameter) => `status = any(${parameter}::text[])`, textColumn(statuses));
      // Said in the index's own words it is found by it, however many orders are at their end.
      if (statuses.every((status) => openStatuses.includes(status))) conditions.push(isOpen);
    }
    if (after !== undefined) {
      const time = `$${values.push(formatTimestamp(after.acceptedTime))}`;
      add((id) => `(accepted_time, order_id) < (${time}::timestamptz, ${id})`, after.orderId);
    }
    const statement = `
      select ${orderColumnsOf('o')} from orders o
      where ${conditions.join(' and ')}
      order by accepted_time desc, order_id desc
      limit $${values.push(limit)}`;
    return this.#database.run(async (sql) =>
      withSplits(sql, (await sql.text<StoredOrder>(statement, values)).map(orderFromRow), splits),
    );
  }

  /** The instruments of an account's orders that are not at their end. */
  async openInstruments(account: string): Promise<readonly InstrumentName[]> {
    const statement = `select distinct instrument from orders where account = $1 and ${isOpen}`;
    const rows = await this.#database.run((sql) =>
      sql.text<{ instrument: InstrumentName }>(statement, [account]),
    );
    return rows.map(({ instrument }) => instrument);
  }

  /**
   * Orders that are not at their end, or the one that is named in whatever state, in the order of
   * their acceptance; and the position in the log that they belong to.
   * @throws Refusal (limit) for more orders than `maximumOrders`
   */
  async snapshot(
    { orderId, account }: OrderScope,
    { maximumOrders }: { readonly maximumOrders: number },
  ): Promise<OrderSnapshot> {
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    if (orderId !== undefined) conditions.push(`o.order_id = $${values.push(orderId)}`);
    else conditions.push(isOpen);
    if (account !== undefined) conditions.push(`o.account = $${values.push(account)}`);
    // One statement: orders and position are of the same moment.
    const statement = `
      select last.log_position, ${orderColumnsOf('o')}
      from (select coalesce(max(log_position), 0) as log_position from order_event) as last
      left join orders o on ${conditions.join(' and ')}
      order by o.accepted_time, o.order_id
      limit $${values.push(maximumOrders + 1)}`;
    const rows = await this.#database.run((sql) => sql.text<SnapshotRow>(statement, values));
    const found = rows.filter((row): row is StoredOrder & SnapshotRow => row.order_id !== null);
    if (found.length > maximumOrders) {
      throw new Refusal('limit', `Expected at most ${maximumOrders} open orders, found more`);
    }
    return { position: rows[0]?.log_position ?? 0, orders: found.map(orderFromRow) };
  }

  /** The same orders with their last splits, at most so many of each; none that came after them. */
  splitsOf(orders: readonly Order[], splits: number): Promise<readonly SplitOrder[]> {
    return this.#database.run((sql) => withSplits(sql, orders, splits));
  }
}

type SnapshotRow = { readonly log_position: number } & (StoredOrder | { readonly order_id: null });

const openStatuses: readonly OrderStatus[] = ['open', 'partiallyFilled'];
const isOpen = `status in ('open', 'partiallyFilled')`;

/** The last splits of each order; those that came after the orders were read are left out. */
const selectSplits = `
  select split.* from unnest($1::text[], $2::integer[]) as wanted (order_id, version)
  cross join lateral (
    select ${splitColumns} from order_event
    where order_id = wanted.order_id and version <= wanted.version and type = 'filled'
    order by version desc
    limit $3
  ) as split
  order by split.order_id, split.version`;

async function withSplits(
  sql: Sql,
  orders: readonly Order[],
  limit?: number,
): Promise<readonly SplitOrder[]> {
  const splits = await readSplits(sql, orders, limit);
  return orders.map((order) => ({ ...order, splits: splits.get(order.orderId) ?? [] }));
}

async function readSplits(
  sql: Sql,
  orders: readonly Order[],
  limit: number | undefined,
): Promise<ReadonlyMap<string, readonly Split[]>> {
  const filled = orders.filter(({ filledQuantity }) => filledQuantity > 0n);
  if (filled.length === 0 || limit === 0) return new Map();
  const rows = await sql.text<StoredSplit & { readonly order_id: string }>(selectSplits, [
    textColumn(filled.map(({ orderId }) => orderId)),
    plainColumn(filled.map(({ version }) => String(version))),
    limit ?? null,
  ]);
  return new Map(
    [...Map.groupBy(rows, ({ order_id }) => order_id)].map(([orderId, splits]) => [
      orderId,
      splits.map(splitFromRow),
    ]),
  );
}
