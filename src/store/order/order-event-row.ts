import assert from 'node:assert/strict';
import { formatDecimal, formatProduct } from '../../base/decimal.ts';
import type { CancelReason, Order, OrderRequest, OrderStatus } from '../../domain/order.ts';
import type { OrderEvent, OrderFilled } from '../../domain/order-event.ts';
import type { DecidedEvent } from '../../order/order-log.ts';
import { plainColumn, textColumn } from '../column.ts';
import type { StoredAcceptance, StoredSplit } from './order-row.ts';
import { orderFromRow, splitFromRow } from './order-row.ts';
import { formatTimestamp } from '../timestamptz.ts';

/** Events as the arrays that append_order_events takes, in its order. */
export function eventColumns(decided: readonly DecidedEvent[]): string[] {
  const plain = (textOf: (one: DecidedEvent) => string | undefined) =>
    plainColumn(decided.map((one) => textOf(one) ?? 'NULL'));
  const requested = (textOf: (request: OrderRequest) => string | undefined) =>
    textColumn(
      decided.map(({ event }) => (event.type === 'accepted' ? textOf(event.request) : undefined)),
    );
  const filled = (textOf: (fill: OrderFilled) => string) =>
    plain(({ event }) => (event.type === 'filled' ? textOf(event) : undefined));
  return [
    textColumn(decided.map(({ event }) => event.orderId)),
    plain(({ event }) => String(event.version)),
    plain(({ event }) => event.type),
    plain(({ event }) => formatTimestamp(event.time)),
    textColumn(decided.map(({ order }) => order.account)),
    requested(({ clientOrderId }) => clientOrderId),
    textColumn(decided.map(({ order }) => order.instrument)),
    plain(({ order }) => order.side),
    requested(({ limitPrice }) => formatDecimal(limitPrice)),
    requested(({ timeInForce }) => timeInForce),
    requested(({ expireTime }) =>
      expireTime === undefined ? undefined : formatTimestamp(expireTime),
    ),
    filled(({ price }) => formatDecimal(price)),
    filled(({ updateId }) => String(updateId)),
    filled(({ displayedQuantity }) => formatDecimal(displayedQuantity)),
    filled(({ consumedAfter }) => formatDecimal(consumedAfter)),
    plain(({ event }) => quantityOf(event)),
    plain(({ event }) => (event.type === 'canceled' ? event.reason : undefined)),
    plain(({ order }) => formatDecimal(order.filledQuantity)),
    plain(({ order }) => formatProduct(order.filledNotional)),
  ];
}

function quantityOf(event: OrderEvent): string | undefined {
  if (event.type === 'accepted') return formatDecimal(event.request.quantity);
  return event.type === 'filled' ? formatDecimal(event.quantity) : undefined;
}

/** What a select needs of order_event as e and of the orders as o to make events of. */
export const eventSelection = `
  e.type, e.version, e.event_time, e.price, e.quantity, e.update_id,
  e.displayed_quantity, e.consumed_after, e.cancel_reason, e.filled_quantity, e.filled_notional,
  o.order_id, o.account, o.client_order_id, o.instrument, o.side, o.quantity as order_quantity,
  o.limit_price, o.time_in_force, o.expire_time, o.accepted_time`;

/** A row of `eventSelection`; what a split is made of is null unless it is a fill. */
export type StoredEvent = StoredSplit &
  StoredAcceptance & {
    readonly type: OrderEvent['type'];
    readonly cancel_reason: CancelReason | null;
    readonly filled_quantity: string;
    readonly filled_notional: string;
    readonly order_quantity: string;
  };

/** The event, and the order as it was after it. */
export function decidedEventFromRow(row: StoredEvent): DecidedEvent {
  const { event_time: updated_time, order_quantity: quantity } = row;
  const order = orderFromRow({ ...row, quantity, updated_time, status: statusAfter(row) });
  return { event: eventFromRow(row, order), order };
}

function statusAfter({ type, filled_quantity, order_quantity }: StoredEvent): OrderStatus {
  if (type === 'accepted') return 'open';
  if (type !== 'filled') return type;
  // Both are numeric(38,18): equal numbers are equal texts.
  return filled_quantity === order_quantity ? 'filled' : 'partiallyFilled';
}

function eventFromRow(row: StoredEvent, order: Order): OrderEvent {
  const { type } = row;
  const head = { orderId: order.orderId, version: row.version, time: row.event_time };
  switch (type) {
    case 'accepted':
      return { type, ...head, request: requestOf(order) };
    case 'filled':
      return { type, ...head, ...splitFromRow(row) };
    case 'canceled':
      assert(row.cancel_reason !== null, 'A cancellation has a reason');
      return { type, ...head, reason: row.cancel_reason };
    case 'expired':
      return { type, ...head };
    default:
      return type satisfies never;
  }
}

function requestOf(order: Order): OrderRequest {
  const { account, instrument, side, quantity, limitPrice } = order;
  const { timeInForce, expireTime, clientOrderId } = order;
  return {
    account,
    instrument,
    side,
    quantity,
    limitPrice,
    timeInForce,
    expireTime,
    clientOrderId,
  };
}
