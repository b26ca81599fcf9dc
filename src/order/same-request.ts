import type { Order } from '../domain/order.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Submission } from './order-desk.ts';
import type { PendingSubmission } from './pending.ts';

/**
 * What to answer where the account's client order id is that of an order already: that order, when it
 * was asked for in the same words.
 * @throws Refusal alreadyExists
 */
export function alreadyAccepted(
  { request, timeout }: Pick<PendingSubmission, 'request' | 'timeout'>,
  order: Order,
): Submission {
  const hasSameExpiry =
    timeout === undefined
      ? order.expireTime === request.expireTime
      : order.expireTime === order.acceptedTime + timeout;
  const isSame =
    hasSameExpiry &&
    order.instrument === request.instrument &&
    order.side === request.side &&
    order.quantity === request.quantity &&
    order.limitPrice === request.limitPrice &&
    order.timeInForce === request.timeInForce;
  if (isSame) return { order, isAlreadyAccepted: true };
  throw new Refusal(
    'alreadyExists',
    `client_order_id: ${request.clientOrderId} is that of another order, ${order.orderId}`,
    { field: 'client_order_id' },
  );
}

/** The same, told to who waits. */
export function answerDuplicate(pending: PendingSubmission, order: Order): void {
  try {
    pending.answer.resolve(alreadyAccepted(pending, order));
  } catch (refusal) {
    pending.answer.reject(refusal);
  }
}
