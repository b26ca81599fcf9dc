import { parseDecimal } from '../../src/base/decimal.ts';
import type { Order } from '../../src/domain/order.ts';
import { noon } from './builders.ts';

type OrderParts = Partial<Omit<Order, 'quantity' | 'limitPrice'>> & {
  readonly quantity?: string;
  readonly limitPrice?: string;
};

/** An order that was accepted at noon and is still as it was then: sell 1 at 100, GTC. */
export function anOrder(parts: OrderParts = {}): Order {
  const { quantity = '1', limitPrice = '100', acceptedTime = noon, ...rest } = parts;
  return {
    orderId: 'order-1',
    account: 'default',
    instrument: 'binance:BTCUSDT',
    side: 'sell',
    quantity: parseDecimal(quantity),
    limitPrice: parseDecimal(limitPrice),
    timeInForce: 'GTC',
    expireTime: undefined,
    clientOrderId: undefined,
    version: 1,
    status: 'open',
    cancelReason: undefined,
    filledQuantity: 0n,
    filledNotional: 0n,
    acceptedTime,
    updatedTime: acceptedTime,
    ...rest,
  };
}
