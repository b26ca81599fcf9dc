import type { Order, OrderEvent } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { orderToJson } from '../../rpc/order/order-messages.ts';
import { timeOf } from '../rfc3339.ts';
import { describeOrder, describeProgress } from './order-printer.ts';
import type { OrderFormat } from './order-printer.ts';

type LineOptions = {
  /** Lines are about one order, which the reader knows. */
  readonly isOnlyOne: boolean;
};

/** An order as it is, in a line. */
export function lineOfOrder(
  order: Order,
  format: OrderFormat,
  { isOnlyOne }: LineOptions = { isOnlyOne: false },
): string {
  if (format === 'json') return orderToJson(order);
  const name = isOnlyOne ? [] : [order.orderId, describeOrder(order)];
  return [timeOf(order.updatedTime), ...name, describeProgress(order)].join('  ');
}

/** What happened to an order, and where it is then, in a line; as JSON the order alone. */
export function lineOfEvent(
  { event, order, time, orderId }: OrderEvent,
  format: OrderFormat,
  { isOnlyOne }: LineOptions = { isOnlyOne: false },
): string {
  if (format === 'json') return order === undefined ? '{}' : orderToJson(order);
  const parts = [timeOf(time)];
  if (!isOnlyOne) parts.push(orderId);
  if (event.case === 'accepted' && order !== undefined) parts.push(describeOrder(order));
  if (event.case === 'filled') {
    const { quantity, price, updateId } = event.value;
    parts.push(`filled ${quantity} @ ${price} (update ${updateId})`);
  }
  if (order !== undefined) parts.push(describeProgress(order));
  return parts.join('  ');
}
