import type { OrderEvent } from '../../src/domain/order-event.ts';
import type { Logged } from './orders-model.ts';

/** An event as the model reads it, its amounts counted in `unit`, of which all are multiples. */
export function loggedOrder(event: OrderEvent, unit: bigint): Logged {
  const count = (amount: bigint) => {
    if (amount % unit !== 0n) throw new RangeError(`Expected multiples of ${unit}, got ${amount}`);
    return Number(amount / unit);
  };
  const { orderId, version, time } = event;
  const base = { orderId, version, time };
  switch (event.type) {
    case 'accepted': {
      const { expireTime, quantity, limitPrice, ...request } = event.request;
      const asked = { ...request, quantity: count(quantity), limit: count(limitPrice) };
      return { ...base, type: 'accepted', expireTime, asked };
    }
    case 'filled':
      return {
        ...base,
        type: 'filled',
        price: count(event.price),
        quantity: count(event.quantity),
        updateId: event.updateId,
        displayed: count(event.displayedQuantity),
        consumedAfter: count(event.consumedAfter),
      };
    case 'canceled':
      return { ...base, type: 'canceled', reason: event.reason };
    case 'expired':
      return { ...base, type: 'expired' };
    default:
      return event satisfies never;
  }
}
