import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import type { Order } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { OrderStatus } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { OrderService } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { isOrderAtEnd, orderJson } from '../order-messages.ts';
import { readStream } from '../read-stream.ts';
import type { RestAdapter } from '../rest.ts';
import type { RestCall } from '../rest/rest-call.ts';
import { readOrderBody } from './order-body.ts';
import type { BodyFields } from './order-body.ts';
import { toldError } from './told-error.ts';

/** As the trade executor's users write it; each field of ours by its name there. */
const fields: BodyFields = {
  instrument: 'symbol',
  quantity: 'order_size',
  limitPrice: 'price',
  side: 'side',
  account: 'account',
  clientOrderId: 'client_order_id',
};

/** What the trade executor answered, word for word. */
const messages = {
  filled: 'Order successfully fulfilled',
  notFilled: 'Order not fulfilled',
  wrong: 'There was an error parsing your request',
  failed: 'There was an error processing your request',
} as const;

/**
 * `POST /order/limit` of the trade executor, {"symbol": "LTCBTC", "order_size": 1000, "price": 0.0001}
 * in a body of any content type: places an order that expires after the timeout, and answers when it
 * is at its end, with how it was split. Whoever prefers `respond-async` is answered at once.
 */
export function limitOrderAdapter(timeoutSeconds: number): RestAdapter {
  return {
    httpMethod: 'POST',
    path: '/order/limit',
    answer: async (call) => {
      try {
        await answer(call, timeoutSeconds);
      } catch (error) {
        const { httpStatus, code, message: reason } = toldError(error, fields);
        const message = httpStatus < 500 ? messages.wrong : messages.failed;
        await call.sendJson(httpStatus, { message, code, reason });
      }
    },
  };
}

async function answer(call: RestCall, timeoutSeconds: number): Promise<void> {
  const orders = createClient(OrderService, call.transport);
  const timeout = { seconds: BigInt(timeoutSeconds) };
  const body = await call.readJson();
  const request = readOrderBody(call, body, fields, { case: 'timeout', value: timeout });
  const { order } = await orders.submitLimitOrder(request, call.options);
  if (order === undefined) throw new Error('Expected an answer with the order');
  if (/\brespond-async\b/iu.test(call.header('prefer') ?? '')) {
    call.setHeader('preference-applied', 'respond-async');
    call.setHeader('location', `/v1/orders/${order.orderId}?account=${order.account}`);
    return await call.sendJson(202, { message: 'Order accepted', ...orderJson(order) });
  }
  const ended = await untilEnd(orders, order, call);
  const isFilled = ended.status === OrderStatus.FILLED;
  await call.sendJson(isFilled ? 200 : 400, {
    message: isFilled ? messages.filled : messages.notFilled,
    ...orderJson(ended),
  });
}

async function untilEnd(
  orders: Client<typeof OrderService>,
  { orderId, account }: Order,
  { options }: RestCall,
): Promise<Order> {
  const scope = { case: 'orderId' as const, value: orderId };
  const events = readStream(
    (signal) => orders.streamOrderEvents({ scope }, { ...options, signal }),
    options.signal,
  );
  for await (const { event } of events) {
    const order = event.case === 'orderEvent' ? event.value.order : undefined;
    if (order !== undefined && isOrderAtEnd(order)) break;
  }
  const { order } = await orders.getOrder({ account, order: scope }, options);
  if (order !== undefined && isOrderAtEnd(order)) return order;
  throw new ConnectError(`The order ${orderId} goes on; ask for it`, Code.Unavailable);
}
