import type { JsonObject } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import type { Order } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { OrderStatus } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { OrderService } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { OrderEnds } from '../order/order-ends.ts';
import { isOrderAtEnd, orderJson } from '../order/order-messages.ts';
import type { RestAdapter } from '../rest.ts';
import { jsonAnswer } from '../rest/openapi/own-operation.ts';
import type { RestCall } from '../rest/rest-call.ts';
import { orderBodySchema, readOrderBody } from './order-body.ts';
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

/** What the trade executor answered, word for word, but for the last one. */
const messages = {
  filled: 'Order successfully fulfilled',
  notFilled: 'Order not fulfilled',
  wrong: 'There was an error parsing your request',
  failed: 'There was an error processing your request',
  /** Ours: it could not answer before the end. */
  accepted: 'Order accepted',
} as const;

/** The message, with an order's fields or with why there is none. */
const answerSchema: JsonObject = {
  type: 'object',
  required: ['message'],
  properties: {
    message: { type: 'string', description: 'What the trade executor answered.' },
    code: { type: 'integer', description: 'Where it failed, the status code of gRPC.' },
    reason: { type: 'string', description: 'Where it failed, what was expected.' },
  },
  additionalProperties: {},
};

export type LimitOrderOptions = {
  /** Of the orders, and of their callers with them. */
  readonly timeoutSeconds: number;
  /** Undefined where there is no database: no order is accepted then that could be waited for. */
  readonly ends: Pick<OrderEnds, 'wait'> | undefined;
};

/** What an expiry may take, beyond the timeout, to be stored and told. */
const graceMs = 5_000;

/**
 * `POST /order/limit` of the trade executor, {"symbol": "LTCBTC", "order_size": 1000, "price": 0.0001}
 * in a body of any content type: places an order that expires after the timeout, and answers when it
 * is at its end, with how it was split. Whoever prefers `respond-async` is answered at once.
 */
export function limitOrderAdapter(options: LimitOrderOptions): RestAdapter {
  return {
    httpMethod: 'POST',
    path: '/order/limit',
    operation: {
      id: 'OrderLimit',
      description:
        'Places an order, a sell where no side is named, that expires after ORDER_TIMEOUT_SECONDS, and ' +
        'answers when it is at its end: 400 where it is not filled whole. With Prefer: respond-async it ' +
        'answers at once, with 202.',
      body: orderBodySchema(fields, ['symbol', 'order_size', 'price']),
      answer: jsonAnswer(answerSchema),
      refusal: jsonAnswer(answerSchema),
    },
    answer: async (call) => {
      // Known when it is accepted: whatever fails then, the order goes on.
      let accepted: Order | undefined;
      try {
        accepted = await submit(call, options);
        await answer(call, accepted, options);
      } catch (error) {
        const { httpStatus, code, message: reason } = toldError(error, fields);
        const message = httpStatus < 500 ? messages.wrong : messages.failed;
        const { orderId, account } = accepted ?? {};
        await call.sendJson(httpStatus, { message, code, reason, orderId, account });
      }
    },
  };
}

async function submit(call: RestCall, { timeoutSeconds }: LimitOrderOptions): Promise<Order> {
  const timeout = { seconds: BigInt(timeoutSeconds) };
  const body = await call.readJson();
  const request = readOrderBody(call, body, fields, { case: 'timeout', value: timeout });
  const { order } = await ordersOf(call).submitLimitOrder(request, call.options);
  if (order === undefined) throw new Error('Expected an answer with the order');
  return order;
}

async function answer(call: RestCall, order: Order, options: LimitOrderOptions): Promise<void> {
  if (/\brespond-async\b/iu.test(call.header('prefer') ?? '')) {
    call.setHeader('preference-applied', 'respond-async');
    call.setHeader('location', `/v1/orders/${order.orderId}?account=${order.account}`);
    return await call.sendJson(202, { message: messages.accepted, ...orderJson(order) });
  }
  const ended = await untilEnd(call, order, options);
  const isFilled = ended.status === OrderStatus.FILLED;
  await call.sendJson(isFilled ? 200 : 400, {
    message: isFilled ? messages.filled : messages.notFilled,
    ...orderJson(ended),
  });
}

/** @throws ConnectError when the order is not at its end in time, or the server stops before */
async function untilEnd(
  call: RestCall,
  accepted: Order,
  { timeoutSeconds, ends }: LimitOrderOptions,
): Promise<Order> {
  if (isOrderAtEnd(accepted)) return accepted;
  const answered = new AbortController();
  // From before the order is looked at: between the two it may come to its end.
  const ended = ends?.wait(accepted.orderId, {
    patienceMs: timeoutSeconds * 1_000 + graceMs,
    signal: AbortSignal.any([call.options.signal, answered.signal]),
  });
  ended?.catch(() => {});
  try {
    const seen = await read(call, accepted);
    if (isOrderAtEnd(seen)) return seen;
    await ended;
    const order = await read(call, accepted);
    if (isOrderAtEnd(order)) return order;
  } finally {
    answered.abort();
  }
  throw new ConnectError('The order goes on: ask for it by its id', Code.Unavailable);
}

async function read(call: RestCall, { orderId, account }: Order): Promise<Order> {
  const id = { case: 'orderId' as const, value: orderId };
  const { order } = await ordersOf(call).getOrder({ account, order: id }, call.options);
  if (order === undefined) throw new Error('Expected an answer with the order');
  return order;
}

function ordersOf(call: RestCall): Client<typeof OrderService> {
  return createClient(OrderService, call.transport);
}
