import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GrpcJsClient, serviceErrorOf } from './grpc-js-client.ts';
import type { PlainMessage } from './grpc-js-client.ts';
import { loadProtos } from './load-protos.ts';
import { openOrderServer } from './order-server.ts';
import type { SimulatedServer } from './simulated-server.ts';

const protos = loadProtos('tradewind/order/v1/order_service.proto');
const wish = {
  instrument: 'LTCBTC',
  side: 'ORDER_SIDE_SELL',
  quantity: '25',
  limitPrice: '42',
  timeInForce: 'TIME_IN_FORCE_GTC',
};

let server: SimulatedServer;
let orders: GrpcJsClient;

beforeAll(async () => {
  server = await openOrderServer();
  orders = new GrpcJsClient(server.address, protos, 'tradewind.order.v1.OrderService');
});
afterAll(async () => {
  orders[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

async function submit(fields: object = {}): Promise<PlainMessage> {
  const answer = await orders.unary('SubmitLimitOrder', { ...wish, ...fields });
  return answer['order'] as PlainMessage;
}

test('an order is placed, followed to its end, and shown with its splits', async () => {
  await server.inject('LTCBTC', []);
  const order = await submit({ clientOrderId: 'by-grpc-js' });
  expect(order).toMatchObject({ status: 'ORDER_STATUS_OPEN', instrument: 'sim-binance:LTCBTC' });
  const stream = orders.stream('StreamOrderEvents', { orderId: order['orderId'] });
  const told: unknown[] = [];
  for await (const { event, orderEvent } of stream) {
    const { filled } = (orderEvent ?? {}) as { filled?: PlainMessage };
    if (event === 'snapshotEnd') {
      const frame = { s: 'LTCBTC', a: '50', A: '1' };
      await server.inject('LTCBTC', [
        { ...frame, u: 900_000_001, b: '42', B: '5' },
        { ...frame, u: 900_000_002, b: '42.5', B: '30' },
      ]);
    }
    if (event === 'orderEvent') told.push([filled?.['quantity'], filled?.['price']]);
  }
  expect(told).toEqual([
    ['5', '42'],
    ['20', '42.5'],
  ]);
  expect(await orders.unary('GetOrder', { clientOrderId: 'by-grpc-js' })).toMatchObject({
    order: {
      status: 'ORDER_STATUS_FILLED',
      averagePrice: '42.4',
      splits: [{ updateId: '900000001' }, { updateId: '900000002', consumedAfter: '20' }],
    },
  });
});

test('what was placed is listed and canceled', async () => {
  const { orderId } = await submit({ account: 'grpc-js' });
  expect(await orders.unary('ListOrders', { account: 'grpc-js' })).toMatchObject({
    orders: [{ orderId }],
    nextPageToken: '',
  });
  expect(await orders.unary('CancelOrder', { account: 'grpc-js', orderId })).toMatchObject({
    order: { status: 'ORDER_STATUS_CANCELED', cancelReason: 'CANCEL_REASON_REQUESTED' },
  });
});

test.each([
  ['an unknown enum', { side: 99 }, status.INVALID_ARGUMENT, 'side'],
  ['a wrong number', { quantity: '1e3' }, status.INVALID_ARGUMENT, 'quantity'],
  ['an unknown symbol', { instrument: 'NOSUCH' }, status.NOT_FOUND, 'NOSUCH'],
  ['a taken id', { clientOrderId: 'by-grpc-js' }, status.ALREADY_EXISTS, 'client_order_id'],
])('%s is refused in words', async (_name, fields, code, words) => {
  await submit({ clientOrderId: 'by-grpc-js', limitPrice: '42', quantity: '1' }).catch(() => {});
  const error = await serviceErrorOf(submit({ ...fields, timeInForce: 'TIME_IN_FORCE_IOC' }));
  expect(error).toMatchObject({ code, details: expect.stringContaining(words) });
});
