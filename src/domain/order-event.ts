import assert from 'node:assert/strict';
import type { Micros } from '../base/clock.ts';
import { isTerminal } from './order.ts';
import type { CancelReason, Order, OrderRequest, Split } from './order.ts';

type Event = {
  readonly orderId: string;
  /** 1 for the first event of an order, one more with each. */
  readonly version: number;
  readonly time: Micros;
};

export type OrderAccepted = Event & { readonly type: 'accepted'; readonly request: OrderRequest };

/** Its time is that of the ticker that filled it: when that was received. */
export type OrderFilled = Event & { readonly type: 'filled' } & Split;

export type OrderCanceled = Event & { readonly type: 'canceled'; readonly reason: CancelReason };

/** Its time is the order's expire time, also when it was noticed later. */
export type OrderExpired = Event & { readonly type: 'expired' };

/** What happened to an order. An order is the fold of its events by `applyOrderEvent`. */
export type OrderEvent = OrderAccepted | OrderFilled | OrderCanceled | OrderExpired;

/** The order after the event; its splits are its `filled` events. */
export function applyOrderEvent(order: Order | undefined, event: OrderEvent): Order {
  if (event.type === 'accepted') {
    assert(order === undefined && event.version === 1, 'An order is accepted first, and once');
    return acceptedOrder(event);
  }
  assert(order !== undefined, 'An order is accepted before anything else happens to it');
  assert(order.orderId === event.orderId && order.version + 1 === event.version, 'Events follow');
  assert(!isTerminal(order), 'Nothing happens to an order after its end');
  const { version, time: updatedTime } = event;
  switch (event.type) {
    case 'filled':
      return { ...order, ...filled(order, event), version, updatedTime };
    case 'canceled':
      return { ...order, version, updatedTime, status: 'canceled', cancelReason: event.reason };
    case 'expired':
      return { ...order, version, updatedTime, status: 'expired' };
    default:
      event satisfies never;
      return order;
  }
}

function acceptedOrder({ orderId, version, time, request }: OrderAccepted): Order {
  return {
    ...request,
    orderId,
    version,
    status: 'open',
    cancelReason: undefined,
    filledQuantity: 0n,
    filledNotional: 0n,
    acceptedTime: time,
    updatedTime: time,
  };
}

function filled(
  order: Order,
  { quantity, price, displayedQuantity, consumedAfter }: OrderFilled,
): Pick<Order, 'status' | 'filledQuantity' | 'filledNotional'> {
  const filledQuantity = order.filledQuantity + quantity;
  assert(
    quantity > 0n && filledQuantity <= order.quantity,
    'No order is filled beyond its quantity',
  );
  assert(consumedAfter <= displayedQuantity, 'Fills never exceed what is displayed');
  assert(
    order.side === 'sell' ? price >= order.limitPrice : price <= order.limitPrice,
    'No fill is worse than the limit',
  );
  return {
    status: filledQuantity === order.quantity ? 'filled' : 'partiallyFilled',
    filledQuantity,
    filledNotional: order.filledNotional + price * quantity,
  };
}
