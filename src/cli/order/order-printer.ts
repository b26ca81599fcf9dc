import { styleText } from 'node:util';
import type { Order, Split } from '../../../gen/tradewind/order/v1/order_pb.ts';
import {
  CancelReason,
  OrderSide,
  OrderStatus,
  TimeInForce,
} from '../../../gen/tradewind/order/v1/order_pb.ts';
import { defaultAccount } from '../../domain/account.ts';
import { isOrderAtEnd } from '../../rpc/order/order-messages.ts';
import { timeOf } from '../rfc3339.ts';
import { tableLines } from '../table.ts';
import type { Column } from '../table.ts';

export type OrderFormat = 'table' | 'json';

const statusWords: Readonly<Record<OrderStatus, string>> = {
  [OrderStatus.UNSPECIFIED]: 'unknown',
  [OrderStatus.OPEN]: 'open',
  [OrderStatus.PARTIALLY_FILLED]: 'partially filled',
  [OrderStatus.FILLED]: 'filled',
  [OrderStatus.CANCELED]: 'canceled',
  [OrderStatus.EXPIRED]: 'expired',
};

const cancelWords: Readonly<Record<CancelReason, string>> = {
  [CancelReason.UNSPECIFIED]: '',
  [CancelReason.REQUESTED]: 'as asked for',
  [CancelReason.NO_MARKET]: 'there was no current book ticker',
  [CancelReason.NOT_FILLED_AT_ONCE]: 'it could not be filled at once',
  [CancelReason.NOT_COVERED]: 'the displayed quantity did not cover it',
};

const timeWords: Readonly<Record<TimeInForce, string>> = {
  [TimeInForce.UNSPECIFIED]: 'unknown',
  [TimeInForce.GTC]: 'gtc',
  [TimeInForce.GTD]: 'gtd',
  [TimeInForce.IOC]: 'ioc',
  [TimeInForce.FOK]: 'fok',
};

/** A newer server may have states that we do not know. */
export function statusWord({ status }: Order): string {
  return statusWords[status] ?? 'unknown';
}

/** What an order asks for: "sell 1000 binance:LTCBTC at 0.0001 or better (gtd, until …)". */
export function describeOrder(order: Order): string {
  const side = order.side === OrderSide.SELL ? 'sell' : 'buy';
  const time = timeWords[order.timeInForce] ?? 'unknown';
  const until = order.expireTime === undefined ? '' : `, until ${timeOf(order.expireTime)}`;
  return `${side} ${order.quantity} ${order.instrument} at ${order.limitPrice} or better (${time}${until})`;
}

/** Where an order is, in a line. */
export function describeProgress(order: Order): string {
  const parts = [`${styleStatus(order)}: ${order.filledQuantity} of ${order.quantity}`];
  if (order.averagePrice !== undefined) parts.push(`at ${order.averagePrice} on average`);
  const why = cancelWords[order.cancelReason] ?? '';
  if (why !== '') parts.push(`(${why})`);
  if (order.waitingFor !== '') parts.push(`— ${order.waitingFor}`);
  return parts.join(' ');
}

/** What follows an order to its end. */
export function watchCommand({ orderId, account }: Order): string {
  const whose = account === defaultAccount ? '' : ` --account ${account}`;
  return `tradewind order watch ${orderId}${whose}`;
}

/** An order, where it is, and how it was split: the summary. */
export function* orderSummary(order: Order): Iterable<string> {
  yield `${styleText('bold', `Order ${order.orderId}`, { stream: process.stdout })}  ${describeOrder(order)}`;
  yield describeProgress(order);
  if (order.splits.length === 0) return;
  const { splits, splitCount } = order;
  yield '';
  yield* splitTable(splits);
  if (splitCount > splits.length) yield `(the last ${splits.length} of ${splitCount})`;
  yield '';
  yield `${splitCount} ${splitCount === 1 ? 'split' : 'splits'}, ${order.filledQuantity} for ${order.filledNotional} in all`;
}

function splitTable(splits: readonly Split[]): Iterable<string> {
  const columns: readonly Column[] = [
    { title: 'SPLIT', align: 'right' },
    { title: 'TIME', align: 'left' },
    { title: 'UPDATE ID', align: 'right' },
    { title: 'PRICE', align: 'right' },
    { title: 'QUANTITY', align: 'right' },
    { title: 'DISPLAYED', align: 'right' },
  ];
  const rows = splits.map((split) => [
    String(split.version - 1),
    timeOf(split.time),
    String(split.updateId),
    split.price,
    split.quantity,
    split.displayedQuantity,
  ]);
  return tableLines(columns, rows);
}

/** Orders, a row each. */
export function orderTable(orders: readonly Order[]): Iterable<string> {
  const columns: readonly Column[] = [
    { title: 'ORDER', align: 'left' },
    { title: 'ACCEPTED', align: 'left' },
    { title: 'INSTRUMENT', align: 'left' },
    { title: 'SIDE', align: 'left' },
    { title: 'QUANTITY', align: 'right' },
    { title: 'LIMIT', align: 'right' },
    { title: 'STATUS', align: 'left' },
    { title: 'FILLED', align: 'right' },
    { title: 'AVERAGE', align: 'right' },
    { title: 'WAITING FOR', align: 'left' },
  ];
  const rows = orders.map((order) => [
    order.orderId,
    timeOf(order.acceptedTime),
    order.instrument,
    order.side === OrderSide.SELL ? 'sell' : 'buy',
    order.quantity,
    order.limitPrice,
    styleStatus(order),
    order.filledQuantity,
    order.averagePrice ?? '-',
    order.waitingFor,
  ]);
  return tableLines(columns, rows);
}

function styleStatus(order: Order): string {
  const isFilled = order.status === OrderStatus.FILLED;
  const colour = isFilled ? 'green' : isOrderAtEnd(order) ? 'red' : 'cyan';
  return styleText(colour, statusWord(order), { stream: process.stdout });
}
