import { randomUUID } from 'node:crypto';
import { Code, ConnectError } from '@connectrpc/connect';
import { OrderSide, TimeInForce } from '../../../gen/tradewind/order/v1/order_pb.ts';
import type { SubmitLimitOrderResponse } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { backoffDelayMs } from '../../base/backoff.ts';
import { sleep, systemClock } from '../../base/clock.ts';
import type { Environment } from '../../base/env.ts';
import type { OrderClient } from '../../rpc/client.ts';
import type { Duration } from '../duration-argument.ts';
import { isOrderAtEnd, orderToJson } from '../../rpc/order/order-messages.ts';
import { requestTimeoutMs } from '../list-candles.ts';
import { writeLines } from '../write-lines.ts';
import { describeOrder, describeProgress, watchCommand } from './order-printer.ts';
import type { OrderFormat } from './order-printer.ts';
import { watchToEnd } from './watch-orders.ts';

export const timesInForce = ['gtc', 'gtd', 'ioc', 'fok'] as const;

export type SubmitFlags = {
  readonly tif?: (typeof timesInForce)[number];
  readonly timeout?: Duration;
  readonly clientOrderId?: string;
  readonly wait?: true;
};

type OrderWish = SubmitFlags & {
  readonly account: string;
  readonly side: 'buy' | 'sell';
  readonly instrument: string;
  readonly quantity: string;
  readonly limitPrice: string;
};

/** How often an order is sent whose answer does not come; its id keeps it from being placed twice. */
const attempts = 5;
const backoff = { minimumMs: 200, maximumMs: 2_000 };

/**
 * Places an order and, where it is wished, follows it to its end.
 * @throws ConnectError as the server refuses it; Failure when it is followed and not filled whole
 */
export async function submitOrder(
  orders: OrderClient,
  wish: OrderWish,
  format: OrderFormat,
  environment: Environment,
): Promise<void> {
  const { order, alreadyAccepted } = await submit(orders, wish);
  if (order === undefined) throw new Error('Expected an answer with the order');
  // An id that we gave is found again only where the first answer was lost.
  const placed = alreadyAccepted && wish.clientOrderId !== undefined ? 'Placed before:' : 'Placed';
  const told = `${placed} ${order.orderId}: ${describeOrder(order)}`;
  if (wish.wait === true) {
    if (format === 'table') await writeLines(process.stdout, [told]);
    return await watchToEnd(orders, order, format, environment);
  }
  if (format === 'json') return await writeLines(process.stdout, [orderToJson(order)]);
  const lines = [told, describeProgress(order)];
  if (!isOrderAtEnd(order)) lines.push(`Follow it: ${watchCommand(order)}`);
  await writeLines(process.stdout, lines);
}

async function submit(orders: OrderClient, wish: OrderWish): Promise<SubmitLimitOrderResponse> {
  const tif = wish.tif ?? (wish.timeout === undefined ? 'gtc' : 'gtd');
  const request = {
    account: wish.account,
    instrument: wish.instrument,
    side: wish.side === 'sell' ? OrderSide.SELL : OrderSide.BUY,
    quantity: wish.quantity,
    limitPrice: wish.limitPrice,
    timeInForce: {
      gtc: TimeInForce.GTC,
      gtd: TimeInForce.GTD,
      ioc: TimeInForce.IOC,
      fok: TimeInForce.FOK,
    }[tif],
    expiry:
      wish.timeout === undefined
        ? { case: undefined }
        : { case: 'timeout' as const, value: wish.timeout },
    clientOrderId: wish.clientOrderId ?? `cli-${randomUUID()}`,
  };
  for (let attempt = 1; ; attempt++) {
    try {
      return await orders.submitLimitOrder(request, { timeoutMs: requestTimeoutMs });
    } catch (error) {
      const isLost = ConnectError.from(error).code === Code.Unavailable;
      if (!isLost || attempt === attempts) throw error;
      await sleep(systemClock, backoffDelayMs(attempt - 1, backoff));
    }
  }
}
