import { createClient } from '@connectrpc/connect';
import { ExactNumber } from '../../base/exact-json.ts';
import { OrderService } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { RestAdapter } from '../rest.ts';
import { textAnswer } from '../rest/openapi/own-operation.ts';
import type { RestCall } from '../rest/rest-call.ts';
import { isJsonObject } from '../rest/strict-json.ts';
import type { ExactJson } from '../rest/strict-json.ts';
import { orderBodySchema, readOrderBody } from './order-body.ts';
import { isUnknownInstrument, toldError } from './told-error.ts';

const fields = { instrument: 'symbol', quantity: 'quantity', limitPrice: 'price' };

/** In the order in which they were asked for. */
const required = ['price', 'quantity', 'symbol'] as const;

/**
 * `POST /SellOrder` of the other trade executor, {"quantity": 25, "price": 42, "symbol": "BNBUSDT"}:
 * places a sell order that waits until it is filled, and answers at once. Answers are plain texts,
 * those of the trade executor word for word.
 */
export const sellOrderAdapter: RestAdapter = {
  httpMethod: 'POST',
  path: '/SellOrder',
  operation: {
    id: 'SellOrder',
    description:
      'Places a sell order that waits until it is filled, and answers at once, with a text. A symbol ' +
      'that is not known is a 501.',
    body: orderBodySchema(fields, required),
    answer: textAnswer,
    refusal: textAnswer,
  },
  answer: async (call) => {
    try {
      await answer(call);
    } catch (error) {
      if (isUnknownInstrument(error)) {
        return await call.sendText(501, 'The symbol specified is not supported');
      }
      const { httpStatus, message } = toldError(error, fields);
      await call.sendText(httpStatus, message);
    }
  },
};

async function answer(call: RestCall): Promise<void> {
  const body = await call.readJson().catch(() => undefined);
  if (body === undefined || !isJsonObject(body)) {
    return await call.sendText(400, 'Unable to decode your request');
  }
  const missing = required.find((name) => isMissing(body[name]));
  if (missing !== undefined) {
    return await call.sendText(400, `${missing} is required in the body request`);
  }
  const orders = createClient(OrderService, call.transport);
  const request = readOrderBody(call, body, fields, { case: undefined });
  const { order } = await orders.submitLimitOrder(request, call.options);
  await call.sendText(200, `The Sell Order was created with ID: "${order?.orderId}"`);
}

/** Zero and the empty text were taken for nothing there. */
function isMissing(value: ExactJson | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  return value instanceof ExactNumber && /^-?0*\.?0*$/u.test(value.source);
}
