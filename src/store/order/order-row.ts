import type { Micros } from '../../base/clock.ts';
import { parseProduct, parseSum } from '../../base/decimal.ts';
import type {
  CancelReason,
  Order,
  OrderSide,
  OrderStatus,
  Split,
  TimeInForce,
} from '../../domain/order.ts';

/** The columns of the table orders that an order is made of, but for those that its events change. */
export const acceptedColumns = [
  'order_id',
  'account',
  'client_order_id',
  'instrument',
  'side',
  'quantity',
  'limit_price',
  'time_in_force',
  'expire_time',
  'accepted_time',
] as const;

export const orderColumns = [
  ...acceptedColumns,
  'version',
  'status',
  'cancel_reason',
  'filled_quantity',
  'filled_notional',
  'updated_time',
] as const;

/** `orderColumns` for a select list, of the table under this name. */
export function orderColumnsOf(table: string): string {
  return orderColumns.map((column) => `${table}.${column}`).join(', ');
}

/** What an order was accepted as, as the database gives it back. */
export type StoredAcceptance = {
  readonly order_id: string;
  readonly account: string;
  readonly client_order_id: string | null;
  readonly instrument: string;
  readonly side: OrderSide;
  readonly quantity: string;
  readonly limit_price: string;
  readonly time_in_force: TimeInForce;
  readonly expire_time: Micros | null;
  readonly accepted_time: Micros;
};

/** A row of the table orders as the database gives it back. */
export type StoredOrder = StoredAcceptance & {
  readonly version: number;
  readonly status: OrderStatus;
  readonly cancel_reason: CancelReason | null;
  readonly filled_quantity: string;
  readonly filled_notional: string;
  readonly updated_time: Micros;
};

export function orderFromRow(row: StoredOrder): Order {
  return {
    orderId: row.order_id,
    account: row.account,
    clientOrderId: row.client_order_id ?? undefined,
    instrument: row.instrument,
    side: row.side,
    quantity: parseSum(row.quantity),
    limitPrice: parseSum(row.limit_price),
    timeInForce: row.time_in_force,
    expireTime: row.expire_time ?? undefined,
    acceptedTime: row.accepted_time,
    version: row.version,
    status: row.status,
    cancelReason: row.cancel_reason ?? undefined,
    filledQuantity: parseSum(row.filled_quantity),
    filledNotional: parseProduct(row.filled_notional),
    updatedTime: row.updated_time,
  };
}

/** The columns of the table order_event that a split is made of. */
export const splitColumns =
  'order_id, version, price, quantity, update_id, displayed_quantity, consumed_after, event_time';

/** A filled event as the database gives it back. */
export type StoredSplit = {
  readonly version: number;
  readonly price: string;
  readonly quantity: string;
  readonly update_id: number;
  readonly displayed_quantity: string;
  readonly consumed_after: string;
  readonly event_time: Micros;
};

export function splitFromRow(row: StoredSplit): Split {
  return {
    version: row.version,
    price: parseSum(row.price),
    quantity: parseSum(row.quantity),
    updateId: row.update_id,
    displayedQuantity: parseSum(row.displayed_quantity),
    consumedAfter: parseSum(row.consumed_after),
    time: row.event_time,
  };
}
