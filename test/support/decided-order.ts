import { parseDecimal } from '../../src/base/decimal.ts';
import type { Micros } from '../../src/base/clock.ts';
import type { CancelReason, Order, OrderRequest } from '../../src/domain/order.ts';
import { applyOrderEvent } from '../../src/domain/order-event.ts';
import type { OrderEvent } from '../../src/domain/order-event.ts';
import type { DecidedEvent } from '../../src/order/order-log.ts';
import { noon } from './builders.ts';

type RequestParts = Partial<Omit<OrderRequest, 'quantity' | 'limitPrice'>> & {
  readonly quantity?: string;
  readonly limitPrice?: string;
  readonly orderId?: string;
  readonly time?: Micros;
};

type SplitParts = {
  readonly quantity: string;
  readonly price?: string;
  readonly updateId?: number;
  readonly displayed?: string;
  readonly consumedAfter?: string;
  readonly time?: Micros;
};

let orders = 0;

/** An order to which one thing happens after the other; each gives the event to be appended. */
export class DecidedOrder {
  readonly orderId: string;
  /** Sells 10 binance:BTCUSDT at 100, GTC, of the account "default", accepted at noon. */
  readonly accepted: DecidedEvent;
  #order: Order;

  constructor(parts: RequestParts = {}) {
    const { quantity = '10', limitPrice = '100', time = noon, ...rest } = parts;
    const { orderId = `order-${++orders}`, ...request } = rest;
    this.orderId = orderId;
    const event: OrderEvent = {
      type: 'accepted',
      orderId,
      version: 1,
      time,
      request: {
        account: 'default',
        instrument: 'binance:BTCUSDT',
        side: 'sell',
        quantity: parseDecimal(quantity),
        limitPrice: parseDecimal(limitPrice),
        timeInForce: request.expireTime === undefined ? 'GTC' : 'GTD',
        expireTime: undefined,
        clientOrderId: undefined,
        ...request,
      },
    };
    this.#order = applyOrderEvent(undefined, event);
    this.accepted = { event, order: this.#order };
  }

  /** As its last event left it. */
  get order(): Order {
    return this.#order;
  }

  /** A fill of a part of it. */
  split({ quantity, price = '100', updateId = 1, ...rest }: SplitParts): DecidedEvent {
    const { displayed = '1000', consumedAfter = quantity, time = noon + 1_000_000 } = rest;
    return this.#decide({
      type: 'filled',
      ...this.#next(time),
      price: parseDecimal(price),
      quantity: parseDecimal(quantity),
      updateId,
      displayedQuantity: parseDecimal(displayed),
      consumedAfter: parseDecimal(consumedAfter),
    });
  }

  cancel(reason: CancelReason = 'requested'): DecidedEvent {
    return this.#decide({ type: 'canceled', ...this.#next(noon + 2_000_000), reason });
  }

  expire(): DecidedEvent {
    return this.#decide({ type: 'expired', ...this.#next(this.#order.expireTime ?? 0) });
  }

  #next(time: Micros) {
    return { orderId: this.orderId, version: this.#order.version + 1, time };
  }

  #decide(event: OrderEvent): DecidedEvent {
    this.#order = applyOrderEvent(this.#order, event);
    return { event, order: this.#order };
  }
}
