import type { Micros } from '../base/clock.ts';
import type { Decimal, Product } from '../base/decimal.ts';
import type { InstrumentName } from './instrument.ts';

export type OrderSide = 'buy' | 'sell';

/**
 * How long an order may wait: GTC until it is canceled, GTD until a time; IOC and FOK do not wait at
 * all: what an IOC does not get at once is canceled, a FOK gets everything at once or nothing.
 */
export type TimeInForce = 'GTC' | 'GTD' | 'IOC' | 'FOK';

export type OrderStatus = 'open' | 'partiallyFilled' | 'filled' | 'canceled' | 'expired';

export type CancelReason =
  /** Somebody asked for it. */
  | 'requested'
  /** An IOC or FOK found no ticker to be decided against. */
  | 'noMarket'
  /** What an IOC did not get at once. */
  | 'notFilledAtOnce'
  /** The displayed quantity did not cover a FOK. */
  | 'notCovered';

/** What somebody asks for. */
export type OrderRequest = {
  readonly account: string;
  readonly instrument: InstrumentName;
  readonly side: OrderSide;
  /** Above 0, in the base asset. */
  readonly quantity: Decimal;
  /** Above 0: a sell gets this or more, a buy pays this or less. */
  readonly limitPrice: Decimal;
  readonly timeInForce: TimeInForce;
  /** Of GTD: the first moment at which it is no longer fulfilled. */
  readonly expireTime: Micros | undefined;
  /** The idempotency key, unique within the account for ever; undefined: there is none. */
  readonly clientOrderId: string | undefined;
};

/** A part of an order that was fulfilled against one displayed level. */
export type Split = {
  /** The version of the order that it made. */
  readonly version: number;
  readonly price: Decimal;
  readonly quantity: Decimal;
  /** The book ticker's update id. */
  readonly updateId: number;
  /** What the level displayed. */
  readonly displayedQuantity: Decimal;
  /** How much of that all our orders had used after this split. */
  readonly consumedAfter: Decimal;
  /** When the ticker was received. */
  readonly time: Micros;
};

/** An order after its events so far, but for its splits. It never changes: each event makes a new one. */
export type Order = OrderRequest & {
  readonly orderId: string;
  /** The number of its events. */
  readonly version: number;
  readonly status: OrderStatus;
  readonly cancelReason: CancelReason | undefined;
  readonly filledQuantity: Decimal;
  /** The sum over its splits of price × quantity. */
  readonly filledNotional: Product;
  readonly acceptedTime: Micros;
  /** The time of its last event. */
  readonly updatedTime: Micros;
};

/** An order as it is shown: with its splits, in their order. */
export type SplitOrder = Order & { readonly splits: readonly Split[] };

export function remainingQuantity(order: Pick<Order, 'quantity' | 'filledQuantity'>): Decimal {
  return order.quantity - order.filledQuantity;
}

/** Whether nothing can happen to it any more. */
export function isTerminal({ status }: Pick<Order, 'status'>): boolean {
  return status === 'filled' || status === 'canceled' || status === 'expired';
}
