import { Code } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OrderSide, OrderStatus, TimeInForce } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { Floor, anOrder } from './open-floor.ts';

let floor: Floor;

beforeAll(async () => {
  floor = await Floor.open();
});
afterAll(() => floor[Symbol.asyncDispose]());

const submit = (...[wish]: Parameters<typeof anOrder>) =>
  floor.orders.submitLimitOrder(anOrder(wish));

test('the same order under the same id is answered again, with what became of it', async () => {
  const first = await submit({ clientOrderId: 'mine' });
  expect(first).toMatchObject({ alreadyAccepted: false, order: { clientOrderId: 'mine' } });
  await floor.orders.cancelOrder({
    order: { case: 'orderId', value: first.order?.orderId ?? '' },
  });
  // The instrument by another name, and numbers written otherwise, are the same order.
  const again = await submit({
    clientOrderId: 'mine',
    instrument: 'sim-binance:bnbusdt',
    quantity: '25.000',
    limitPrice: '0042.0',
  });
  expect(again).toMatchObject({
    alreadyAccepted: true,
    order: { orderId: first.order?.orderId, status: OrderStatus.CANCELED },
  });
});

test.each([
  ['quantity', { quantity: '26' }],
  ['limit price', { limitPrice: '42.01' }],
  ['side', { side: OrderSide.BUY }],
  ['instrument', { instrument: 'LTCBTC' }],
  ['time in force', { timeInForce: TimeInForce.IOC }],
  ['expiry', { expiry: { case: 'timeout', value: { seconds: 60n } } } as const],
])('another %s under the same id is refused, and the id is named', async (name, wish) => {
  const clientOrderId = `other-${name.replaceAll(' ', '-')}`;
  const { order } = await submit({ clientOrderId });
  const rows = await floor.storedRows();
  await expect(submit({ clientOrderId, ...wish })).rejects.toMatchObject({
    code: Code.AlreadyExists,
    rawMessage: expect.stringContaining(
      `client_order_id: ${clientOrderId} is that of another order, ${order?.orderId}`,
    ),
  });
  expect(await floor.storedRows()).toBe(rows);
});

test('accounts have ids of their own', async () => {
  const mine = await submit({ clientOrderId: 'ours' });
  const theirs = await submit({ clientOrderId: 'ours', account: 'another', quantity: '1' });
  expect(theirs.alreadyAccepted).toBe(false);
  expect(theirs.order?.orderId).not.toBe(mine.order?.orderId);
});

test('a timeout is compared as one, though it is another moment each time', async () => {
  const wish = {
    clientOrderId: 'soon',
    expiry: { case: 'timeout', value: { seconds: 3600n } },
  } as const;
  const first = await submit(wish);
  const again = await submit(wish);
  expect(again).toMatchObject({
    alreadyAccepted: true,
    order: { expireTime: first.order?.expireTime },
  });
  const longer = { ...wish, expiry: { case: 'timeout', value: { seconds: 3601n } } } as const;
  await expect(submit(longer)).rejects.toMatchObject({ code: Code.AlreadyExists });
});

test('of many at once one is placed, and all are told of it', async () => {
  const rows = await floor.storedRows();
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => submit({ clientOrderId: 'rush' })),
  );
  expect(new Set(answers.map(({ order }) => order?.orderId)).size).toBe(1);
  expect(answers.filter(({ alreadyAccepted }) => !alreadyAccepted)).toHaveLength(1);
  expect(await floor.storedRows()).toBe(rows + 2);
});

test('a restart of the server forgets no id', async () => {
  const first = await submit({ clientOrderId: 'kept' });
  await floor.stopServer();
  await floor.startServer();
  const again = await submit({ clientOrderId: 'kept' });
  expect(again).toMatchObject({ alreadyAccepted: true, order: { orderId: first.order?.orderId } });
});

test('over plain HTTP the header Idempotency-Key stands for the id', async () => {
  const post = async (body: object, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${floor.url}/v1/orders`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
    return {
      status: answer.status,
      ...((await answer.json()) as {
        alreadyAccepted: boolean;
        order: { clientOrderId: string };
        message: string;
      }),
    };
  };
  const body = {
    instrument: 'BNBUSDT',
    side: 'SELL',
    quantity: 25,
    limitPrice: 42,
    timeInForce: 'GTC',
  };
  const key = { 'idempotency-key': 'by-header' };
  expect(await post(body, key)).toMatchObject({
    status: 200,
    alreadyAccepted: false,
    order: { clientOrderId: 'by-header' },
  });
  expect(await post(body, key)).toMatchObject({ status: 200, alreadyAccepted: true });
  expect(await post({ ...body, quantity: 26 }, key)).toMatchObject({ status: 409 });
  expect(await post({ ...body, clientOrderId: 'by-field' }, key)).toMatchObject({
    order: { clientOrderId: 'by-field' },
  });
  expect(await post(body, { 'idempotency-key': 'x'.repeat(65) })).toMatchObject({
    status: 400,
    message: expect.stringMatching(/^client_order_id: expected 1 to 64/u),
  });
});
