import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { ServiceImpl } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { OrderSchema, OrderSide, OrderStatus } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { OrderService } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { SubmitLimitOrderRequest } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { Refusal } from '../../../src/domain/refusal.ts';
import { limitOrderAdapter } from '../../../src/rpc/trade-executor/limit-order.ts';
import { sellOrderAdapter } from '../../../src/rpc/trade-executor/sell-order.ts';
import { openTestListener } from '../../support/test-listener.ts';

/** An orders' desk whose orders come to the end that it is told when they are waited for, half filled. */
async function aDesk(
  ending: OrderStatus = OrderStatus.FILLED,
  implementation: Partial<ServiceImpl<typeof OrderService>> = {},
) {
  const requests: SubmitLimitOrderRequest[] = [];
  const waits: unknown[] = [];
  let isEnded = false;
  const wait = async (orderId: string, { patienceMs }: { readonly patienceMs: number }) => {
    waits.push([orderId, patienceMs]);
    isEnded = ending !== OrderStatus.OPEN;
  };
  const anOrder = (status: OrderStatus, filledQuantity: string) =>
    create(OrderSchema, {
      orderId: 'order-1',
      account: 'default',
      instrument: 'sim-binance:LTCBTC',
      status,
      filledQuantity,
      splits: filledQuantity === '0' ? [] : [{ version: 2, price: '42', quantity: filledQuantity }],
    });
  const listener = await openTestListener({
    routes: (router) =>
      router.service(OrderService, {
        submitLimitOrder(request) {
          requests.push(request);
          return { order: anOrder(OrderStatus.OPEN, '0') };
        },
        getOrder: () => ({
          order: isEnded ? anOrder(ending, '500') : anOrder(OrderStatus.OPEN, '0'),
        }),
        ...implementation,
      }),
    restAdapters: [limitOrderAdapter({ timeoutSeconds: 30, ends: { wait } }), sellOrderAdapter],
  });
  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(listener.url + path, { method: 'POST', body, headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return { requests, waits, post, [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose]() };
}

const seedBody = '{"symbol": "LTCBTC", "order_size": 1000, "price": 0.0001}';

describe('POST /order/limit', () => {
  test('sells until the timeout, and answers how the order was split', async () => {
    await using desk = await aDesk();
    // What curl --data sends.
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const { status, text } = await desk.post('/order/limit', seedBody, type);
    expect([status, JSON.parse(text)]).toEqual([
      200,
      expect.objectContaining({
        message: 'Order successfully fulfilled',
        orderId: 'order-1',
        status: 'ORDER_STATUS_FILLED',
        splits: [expect.objectContaining({ price: '42', quantity: '500' })],
      }),
    ]);
    expect(desk.requests).toMatchObject([
      {
        instrument: 'LTCBTC',
        quantity: '1000',
        limitPrice: '0.0001',
        side: OrderSide.SELL,
        expiry: { case: 'timeout', value: { seconds: 30n } },
        clientOrderId: '',
      },
    ]);
  });

  test('answers an order that was not filled in time with what was filled of it', async () => {
    await using desk = await aDesk(OrderStatus.EXPIRED);
    const { status, text } = await desk.post('/order/limit', seedBody);
    expect([status, JSON.parse(text)]).toEqual([
      400,
      expect.objectContaining({ message: 'Order not fulfilled', filledQuantity: '500' }),
    ]);
  });

  test('waits for the end a little longer than for the timeout, and then tells which order goes on', async () => {
    await using desk = await aDesk(OrderStatus.OPEN);
    const { status, text } = await desk.post('/order/limit', seedBody);
    expect([status, desk.waits, JSON.parse(text)]).toEqual([
      503,
      [['order-1', 35_000]],
      {
        message: 'There was an error processing your request',
        code: Code.Unavailable,
        reason: 'The order goes on: ask for it by its id',
        orderId: 'order-1',
        account: 'default',
      },
    ]);
  });

  test('does not wait for an order that a repeated request finds at its end', async () => {
    const order = create(OrderSchema, { orderId: 'order-1', status: OrderStatus.FILLED });
    await using desk = await aDesk(OrderStatus.FILLED, { submitLimitOrder: () => ({ order }) });
    const { status } = await desk.post('/order/limit', seedBody);
    expect([status, desk.waits]).toEqual([200, []]);
  });

  test('answers at once whoever prefers that, and says where to ask', async () => {
    await using desk = await aDesk();
    const prefer = { prefer: 'respond-async, wait=10' };
    const { status, headers, text } = await desk.post('/order/limit', seedBody, prefer);
    expect([status, headers.get('location'), headers.get('preference-applied')]).toEqual([
      202,
      '/v1/orders/order-1?account=default',
      'respond-async',
    ]);
    expect(JSON.parse(text)).toMatchObject({ orderId: 'order-1', status: 'ORDER_STATUS_OPEN' });
  });

  test.each([
    ['client_order_id', '{"symbol":"A","order_size":1,"price":1,"client_order_id":"mine"}', {}],
    ['Idempotency-Key', '{"symbol":"A","order_size":1,"price":1}', { 'idempotency-key': 'mine' }],
  ])('takes %s for the key that makes a retry safe', async (_name, body, headers) => {
    await using desk = await aDesk();
    await desk.post('/order/limit', body, headers);
    expect(desk.requests[0]?.clientOrderId).toBe('mine');
  });

  test('reads numbers exactly as they are written, also as texts, and a side', async () => {
    await using desk = await aDesk();
    const body =
      '{"symbol":"A","order_size":"0.000000000000000001","price":123456789012345.000000000000000009,"side":"buy"}';
    await desk.post('/order/limit', body);
    expect(desk.requests[0]).toMatchObject({
      quantity: '0.000000000000000001',
      limitPrice: '123456789012345.000000000000000009',
      side: OrderSide.BUY,
    });
  });

  test.each([
    ['no JSON', '{"symbol":', 'body'],
    ['no object', '[1]', 'body'],
    ['nothing', '', 'body'],
    ['a missing symbol', '{"order_size":1,"price":1}', 'symbol'],
    ['a missing price', '{"symbol":"A","order_size":1}', 'price'],
    ['zero', '{"symbol":"A","order_size":0,"price":1}', 'order_size'],
    ['less than zero', '{"symbol":"A","order_size":-1,"price":1}', 'order_size'],
    ['an exponent', '{"symbol":"A","order_size":1,"price":1e-4}', 'price'],
    ['NaN', '{"symbol":"A","order_size":1,"price":"NaN"}', 'price'],
    ['40 digits', `{"symbol":"A","order_size":1,"price":1${'0'.repeat(39)}}`, 'price'],
    ['too many decimals', '{"symbol":"A","order_size":1,"price":0.0000000000000000001}', 'price'],
    ['a thousands separator', '{"symbol":"A","order_size":"1,000","price":1}', 'order_size'],
    ['a truth', '{"symbol":"A","order_size":true,"price":1}', 'order_size'],
    ['an unknown side', '{"symbol":"A","order_size":1,"price":1,"side":"short"}', 'side'],
    ['an unknown field', '{"symbol":"A","order_size":1,"price":1,"size":2}', 'size'],
    ['a field twice', '{"symbol":"A","order_size":1,"order_size":2,"price":1}', 'body'],
  ])('refuses %s, and names the field', async (_name, body, field) => {
    await using desk = await aDesk();
    const { status, text } = await desk.post('/order/limit', body);
    expect([status, JSON.parse(text)]).toEqual([
      400,
      {
        message: 'There was an error parsing your request',
        code: Code.InvalidArgument,
        reason: expect.stringMatching(new RegExp(`^${field}: `, 'u')),
      },
    ]);
    expect(desk.requests).toEqual([]);
  });

  test.each([
    [
      new Refusal('invalid', 'limit_price: expected a multiple of 0.01', { field: 'limit_price' }),
      400,
      'There was an error parsing your request',
      'price: expected a multiple of 0.01',
    ],
    [
      new ConnectError('the store is away', Code.Unavailable),
      503,
      'There was an error processing your request',
      'the store is away',
    ],
  ])('tells what the desk refuses in the words of its body: %s', async (error, ...expected) => {
    const submitLimitOrder = () => {
      throw error;
    };
    await using desk = await aDesk(OrderStatus.FILLED, { submitLimitOrder });
    const { status, text } = await desk.post('/order/limit', seedBody);
    const { message, reason } = JSON.parse(text) as { message: string; reason: string };
    expect([status, message, reason]).toEqual(expected);
  });
});

describe('POST /SellOrder', () => {
  const body = '{"quantity": 25, "price": 42, "symbol": "BNBUSDT"}';

  test('places an order that waits, and answers its id in a text', async () => {
    await using desk = await aDesk();
    const { status, headers, text } = await desk.post('/SellOrder', body);
    expect([status, text]).toEqual([200, 'The Sell Order was created with ID: "order-1"']);
    expect(headers.get('content-type')).toMatch(/^text\/plain/u);
    expect(desk.requests).toMatchObject([
      { instrument: 'BNBUSDT', quantity: '25', limitPrice: '42', side: OrderSide.SELL },
    ]);
    expect(desk.requests[0]?.expiry.case).toBeUndefined();
  });

  test.each([
    ['', 'Unable to decode your request'],
    ['[]', 'Unable to decode your request'],
    ['{"quantity": 25, "symbol": "A"}', 'price is required in the body request'],
    ['{"quantity": 25, "price": 0.0, "symbol": "A"}', 'price is required in the body request'],
    ['{"price": 42, "symbol": "A"}', 'quantity is required in the body request'],
    ['{"quantity": 25, "price": 42}', 'symbol is required in the body request'],
    ['{"quantity": -25, "price": 42, "symbol": "A"}', /^quantity: expected a decimal above 0/u],
    [
      '{"quantity": 25, "price": 42, "symbol": "A", "side": "BUY"}',
      'side: there is no such field; there are symbol, quantity, price',
    ],
  ])('answers %s with 400', async (wrong, expected) => {
    await using desk = await aDesk();
    const { status, text } = await desk.post('/SellOrder', wrong);
    expect([status, text]).toEqual([
      400,
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    ]);
  });

  test('answers an unknown symbol with 501', async () => {
    const submitLimitOrder = () => {
      throw new Refusal('notFound', 'instrument: "NOSUCH" is not known', { field: 'instrument' });
    };
    await using desk = await aDesk(OrderStatus.FILLED, { submitLimitOrder });
    const { status, text } = await desk.post('/SellOrder', body);
    expect([status, text]).toEqual([501, 'The symbol specified is not supported']);
  });
});
