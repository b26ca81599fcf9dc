import type { Micros } from '../base/clock.ts';
import type { Decimal } from '../base/decimal.ts';
import type { Order, OrderSide } from '../domain/order.ts';
import { OrderQueue } from './order-queue.ts';

/** An open order in its places; mutable, because each fill replaces the order and moves nothing. */
export type OpenOrder = {
  order: Order;
  readonly limitPrice: Decimal;
  /** Rises with acceptance. */
  readonly sequence: number;
  /** Its account is halted: it is in no line to be filled, but still expires. */
  isHalted: boolean;
};

/** The open orders of one instrument: by id, in line to be filled, and in line to expire. */
export class OpenOrders {
  /** By price, then by acceptance; halted ones are in neither. */
  readonly sells = new OrderQueue((a, b) => lowerFirst(a, b) || a.sequence - b.sequence);
  readonly buys = new OrderQueue((a, b) => lowerFirst(b, a) || a.sequence - b.sequence);
  readonly #expiring = new OrderQueue(
    (a, b) => expireTimeOf(a) - expireTimeOf(b) || a.sequence - b.sequence,
  );
  /** In the order of acceptance. */
  readonly #byId = new Map<string, OpenOrder>();
  #accepted = 0;

  get size(): number {
    return this.#byId.size;
  }

  /** The one that expires first. */
  get firstToExpire(): OpenOrder | undefined {
    return this.#expiring.first;
  }

  get(orderId: string): OpenOrder | undefined {
    return this.#byId.get(orderId);
  }

  /** In the order of acceptance. */
  *[Symbol.iterator](): Iterator<Order> {
    for (const { order } of this.#byId.values()) yield order;
  }

  /** To be called in the order of acceptance. */
  add(order: Order, isHalted: boolean): OpenOrder {
    const { limitPrice } = order;
    const open: OpenOrder = { order, limitPrice, sequence: ++this.#accepted, isHalted };
    this.#byId.set(order.orderId, open);
    if (!isHalted) this.#lineOf(order.side).add(open);
    if (order.expireTime !== undefined) this.#expiring.add(open);
    return open;
  }

  remove(open: OpenOrder): void {
    const { order } = open;
    this.#byId.delete(order.orderId);
    if (!open.isHalted) this.#lineOf(order.side).remove(open);
    if (order.expireTime !== undefined) this.#expiring.remove(open);
  }

  /** Takes orders out of line, and lets them back in at their old place. */
  halt(isHalted: (account: string) => boolean): void {
    for (const open of this.#byId.values()) {
      const { account, side } = open.order;
      if (isHalted(account) === open.isHalted) continue;
      open.isHalted = !open.isHalted;
      if (open.isHalted) this.#lineOf(side).remove(open);
      else this.#lineOf(side).add(open);
    }
  }

  #lineOf(side: OrderSide): OrderQueue {
    return side === 'sell' ? this.sells : this.buys;
  }
}

function lowerFirst(a: OpenOrder, b: OpenOrder): number {
  if (a.limitPrice === b.limitPrice) return 0;
  return a.limitPrice < b.limitPrice ? -1 : 1;
}

function expireTimeOf({ order }: OpenOrder): Micros {
  return order.expireTime ?? Infinity;
}
