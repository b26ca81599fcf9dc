import assert from 'node:assert/strict';
import { create, toJson } from '@bufbuild/protobuf';
import type {
  Order as OrderMessage,
  OrderEvent as OrderEventMessage,
  Split as SplitMessage,
} from '../../../gen/tradewind/order/v1/order_pb.ts';
import {
  CancelReason as CancelReasonMessage,
  OrderEventSchema,
  OrderEvent_AcceptedSchema,
  OrderEvent_CanceledSchema,
  OrderEvent_ExpiredSchema,
  OrderSchema,
  OrderSide as OrderSideMessage,
  OrderStatus as OrderStatusMessage,
  SplitSchema,
  TimeInForce as TimeInForceMessage,
} from '../../../gen/tradewind/order/v1/order_pb.ts';
import type { Halt } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { HaltSchema } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { divideHalfEven, formatDecimal, formatProduct } from '../../base/decimal.ts';
import { remainingQuantity } from '../../domain/order.ts';
import type {
  CancelReason,
  Order,
  OrderSide,
  OrderStatus,
  Split,
  SplitOrder,
  TimeInForce,
} from '../../domain/order.ts';
import type { OrderEvent } from '../../domain/order-event.ts';
import { Refusal } from '../../domain/refusal.ts';
import { timestampOf } from '../messages.ts';

// Between orders and the wire.

const sides: Readonly<Record<OrderSide, OrderSideMessage>> = {
  buy: OrderSideMessage.BUY,
  sell: OrderSideMessage.SELL,
};

const timesInForce: Readonly<Record<TimeInForce, TimeInForceMessage>> = {
  GTC: TimeInForceMessage.GTC,
  GTD: TimeInForceMessage.GTD,
  IOC: TimeInForceMessage.IOC,
  FOK: TimeInForceMessage.FOK,
};

const statuses: Readonly<Record<OrderStatus, OrderStatusMessage>> = {
  open: OrderStatusMessage.OPEN,
  partiallyFilled: OrderStatusMessage.PARTIALLY_FILLED,
  filled: OrderStatusMessage.FILLED,
  canceled: OrderStatusMessage.CANCELED,
  expired: OrderStatusMessage.EXPIRED,
};

const cancelReasons: Readonly<Record<CancelReason, CancelReasonMessage>> = {
  requested: CancelReasonMessage.REQUESTED,
  noMarket: CancelReasonMessage.NO_MARKET,
  notFilledAtOnce: CancelReasonMessage.NOT_FILLED_AT_ONCE,
  notCovered: CancelReasonMessage.NOT_COVERED,
};

/** @throws Refusal for the unspecified and for unknown sides */
export function sideFromMessage(message: OrderSideMessage): OrderSide {
  return nounOf('side', sides, message);
}

/** @throws Refusal for the unspecified and for unknown values */
export function timeInForceFromMessage(message: TimeInForceMessage): TimeInForce {
  return nounOf('time_in_force', timesInForce, message);
}

/** @throws Refusal for the unspecified and for unknown states */
export function statusFromMessage(message: OrderStatusMessage): OrderStatus {
  return nounOf('statuses', statuses, message);
}

function nounOf<Noun extends string>(
  field: string,
  messages: Readonly<Record<Noun, number>>,
  message: number,
): Noun {
  const nouns = Object.keys(messages) as Noun[];
  const noun = nouns.find((candidate) => messages[candidate] === message);
  if (noun !== undefined) return noun;
  throw new Refusal('invalid', `${field}: expected one of ${nouns.join(', ')}, got ${message}`, {
    field,
  });
}

/** An order without its splits and without what it waits for. */
export function orderToMessage(order: Order): OrderMessage {
  const { filledQuantity, filledNotional } = order;
  const message = create(OrderSchema, {
    orderId: order.orderId,
    account: order.account,
    clientOrderId: order.clientOrderId ?? '',
    instrument: order.instrument,
    side: sides[order.side],
    quantity: formatDecimal(order.quantity),
    limitPrice: formatDecimal(order.limitPrice),
    timeInForce: timesInForce[order.timeInForce],
    status: statuses[order.status],
    filledQuantity: formatDecimal(filledQuantity),
    remainingQuantity: formatDecimal(remainingQuantity(order)),
    filledNotional: formatProduct(filledNotional),
    splitCount: splitCountOf(order),
    version: order.version,
    acceptedTime: timestampOf(order.acceptedTime),
    // What was displayed when it entered was displayed before: see docs/simulation.md.
    updatedTime: timestampOf(Math.max(order.acceptedTime, order.updatedTime)),
  });
  if (order.expireTime !== undefined) message.expireTime = timestampOf(order.expireTime);
  if (order.cancelReason !== undefined) message.cancelReason = cancelReasons[order.cancelReason];
  if (filledQuantity > 0n) {
    // A Product divided by a Decimal is a Decimal.
    message.averagePrice = formatDecimal(divideHalfEven(filledNotional, filledQuantity));
  }
  return message;
}

/** Each event but the acceptance and the end by cancel or expiry is a split. */
function splitCountOf({ version, status }: Order): number {
  return version - (status === 'canceled' || status === 'expired' ? 2 : 1);
}

/** An order with its splits, all or the last ones, and without what it waits for. */
export function splitOrderToMessage(order: SplitOrder): OrderMessage {
  const message = orderToMessage(order);
  message.splits = order.splits.map(splitToMessage);
  return message;
}

function splitToMessage(split: Split): SplitMessage {
  return create(SplitSchema, {
    version: split.version,
    price: formatDecimal(split.price),
    quantity: formatDecimal(split.quantity),
    updateId: BigInt(split.updateId),
    time: timestampOf(split.time),
    displayedQuantity: formatDecimal(split.displayedQuantity),
    consumedAfter: formatDecimal(split.consumedAfter),
  });
}

/** An order as JSON, with the names and forms of the contract. */
export function orderJson(order: OrderMessage): object {
  const json = toJson(OrderSchema, order, { alwaysEmitImplicit: true });
  assert(typeof json === 'object' && json !== null, 'An order is an object');
  return json;
}

/** The same in a line. */
export function orderToJson(order: OrderMessage): string {
  return JSON.stringify(orderJson(order));
}

/** A halt as JSON in a line, with the names and forms of the contract. */
export function haltToJson(halt: Halt): string {
  return JSON.stringify(toJson(HaltSchema, halt, { alwaysEmitImplicit: true }));
}

/** Whether nothing can happen to it any more. */
export function isOrderAtEnd({ status }: OrderMessage): boolean {
  return (
    status === OrderStatusMessage.FILLED ||
    status === OrderStatusMessage.CANCELED ||
    status === OrderStatusMessage.EXPIRED
  );
}

/** An event, and the order as it is after it. */
export function orderEventToMessage(event: OrderEvent, order: Order): OrderEventMessage {
  const message = create(OrderEventSchema);
  message.orderId = event.orderId;
  message.version = event.version;
  message.time = timestampOf(event.time);
  message.event = detailOf(event);
  message.order = orderToMessage(order);
  return message;
}

function detailOf(event: OrderEvent): OrderEventMessage['event'] {
  switch (event.type) {
    case 'accepted':
      return { case: 'accepted', value: create(OrderEvent_AcceptedSchema) };
    case 'filled':
      return { case: 'filled', value: splitToMessage(event) };
    case 'canceled': {
      const reason = cancelReasons[event.reason];
      return { case: 'canceled', value: create(OrderEvent_CanceledSchema, { reason }) };
    }
    case 'expired':
      return { case: 'expired', value: create(OrderEvent_ExpiredSchema) };
    default:
      return event satisfies never;
  }
}
