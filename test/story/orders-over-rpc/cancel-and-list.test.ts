import { Code } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CancelReason, OrderStatus, WaitReason } from '../../../gen/tradewind/order/v1/order_pb.ts';
import type { Order } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { eventually } from '../../support/eventually.ts';
import { Floor } from './open-floor.ts';

let floor: Floor;

beforeAll(async () => {
  floor = await Floor.open();
  await floor.quote(['40', '10', '41', '10']);
});
afterAll(() => floor[Symbol.asyncDispose]());

const cancel = async (value: string, account = '', by: 'orderId' | 'clientOrderId' = 'orderId') =>
  (await floor.orders.cancelOrder({ account, order: { case: by, value } })).order;

const untilStatus = (orderId: string, status: OrderStatus) =>
  eventually(async () => expect((await floor.order(orderId)).status).toBe(status));

describe('canceling', () => {
  test('an open order ends it, and again changes nothing', async () => {
    const { orderId } = await floor.submit();
    const canceled = await cancel(orderId);
    expect(canceled).toMatchObject({
      status: OrderStatus.CANCELED,
      cancelReason: CancelReason.REQUESTED,
      waitReason: WaitReason.UNSPECIFIED,
      version: 2,
    });
    expect(await cancel(orderId)).toEqual(canceled);
  });

  test('an order by its owner’s id', async () => {
    const { orderId } = await floor.submit({ clientOrderId: 'by-mine' });
    expect(await cancel('by-mine', '', 'clientOrderId')).toMatchObject({
      orderId,
      status: OrderStatus.CANCELED,
    });
  });

  test('an order by its owner’s id over plain HTTP', async () => {
    const { orderId } = await floor.submit({ clientOrderId: 'by:mine/2' });
    const path = `/v1/orders:byClientOrderId/${encodeURIComponent('by:mine/2')}:cancel`;
    const answer = await fetch(floor.url + path, { method: 'POST' });
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { order: { orderId, status: 'ORDER_STATUS_CANCELED' } },
    ]);
  });

  test('a partially filled order keeps what was filled', async () => {
    const { orderId } = await floor.submit({ limitPrice: '39', quantity: '30' });
    await untilStatus(orderId, OrderStatus.PARTIALLY_FILLED);
    expect(await cancel(orderId)).toMatchObject({
      status: OrderStatus.CANCELED,
      filledQuantity: '10',
      remainingQuantity: '20',
      splits: [{ quantity: '10', price: '40' }],
      splitCount: 1,
      version: 3,
    });
  });

  test('a filled order is refused', async () => {
    await floor.quote(['40', '11', '41', '10']);
    const { orderId } = await floor.submit({ limitPrice: '39', quantity: '1' });
    await untilStatus(orderId, OrderStatus.FILLED);
    await expect(cancel(orderId)).rejects.toMatchObject({
      code: Code.FailedPrecondition,
      rawMessage: 'The order is filled already',
    });
  });

  test.each([
    ['no order', 'nobody-knows', '', 'order_id: "nobody-knows" is no order of the account default'],
    ['somebody else’s', undefined, 'thief', /^order_id: ".+" is no order of the account thief$/u],
  ])('%s is not found', async (_name, id, account, message) => {
    const orderId = id ?? (await floor.submit()).orderId;
    await expect(cancel(orderId, account)).rejects.toMatchObject({
      code: Code.NotFound,
      rawMessage: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  test('thousands of orders counts them all, and tells of the first ones', async () => {
    const account = 'thousands';
    const place = () => floor.submit({ account, limitPrice: '100' });
    for (let turn = 0; turn < 11; turn++) await Promise.all(Array.from({ length: 100 }, place));
    const { orders, canceledCount } = await floor.orders.cancelAllOrders({ account });
    expect([orders.length, canceledCount]).toEqual([1_000, 1_100]);
    const open = await floor.orders.listOrders({ account, statuses: [OrderStatus.OPEN] });
    expect(open.orders).toEqual([]);
  });

  test('all orders of an account, or those of one instrument, leaves those of others', async () => {
    const place = (account: string, instrument: string) =>
      floor.submit({ account, instrument, limitPrice: '100' });
    const [bnb, ltc, other] = await Promise.all([
      place('all', 'BNBUSDT'),
      place('all', 'LTCBTC'),
      place('all.other', 'BNBUSDT'),
    ]);
    const idsOf = (orders: readonly Order[]) => orders.map(({ orderId }) => orderId);
    const first = await floor.orders.cancelAllOrders({ account: 'all', instrument: 'LTCBTC' });
    expect(idsOf(first.orders)).toEqual([ltc.orderId]);
    const rest = await floor.orders.cancelAllOrders({ account: 'all' });
    expect(idsOf(rest.orders)).toEqual([bnb.orderId]);
    expect(rest.orders).toMatchObject([{ status: OrderStatus.CANCELED, splits: [] }]);
    expect((await floor.orders.cancelAllOrders({ account: 'all' })).orders).toEqual([]);
    expect((await floor.order(other.orderId, 'all.other')).status).toBe(OrderStatus.OPEN);
    await expect(
      floor.orders.cancelAllOrders({ account: 'all', instrument: 'NOSUCH' }),
    ).rejects.toMatchObject({ code: Code.NotFound });
  });
});

describe('a list', () => {
  const account = 'lists';
  let ids: string[];

  beforeAll(async () => {
    ids = [];
    for (const [index, instrument] of [
      'BNBUSDT',
      'LTCBTC',
      'BNBUSDT',
      'LTCBTC',
      'BNBUSDT',
    ].entries()) {
      const { orderId } = await floor.submit({
        account,
        instrument,
        limitPrice: '90',
        clientOrderId: `list-${index}`,
      });
      ids.unshift(orderId);
    }
    await cancel(ids[0] ?? '', account);
  });

  const list = async (request: object = {}) => {
    const { orders, nextPageToken } = await floor.orders.listOrders({ account, ...request });
    return { ids: orders.map(({ orderId }) => orderId), nextPageToken, orders };
  };

  test('has the latest accepted first, with what each waits for', async () => {
    const { ids: listed, nextPageToken, orders } = await list();
    expect([listed, nextPageToken]).toEqual([ids, '']);
    expect(orders.map(({ waitReason }) => waitReason)).toEqual([
      WaitReason.UNSPECIFIED,
      WaitReason.NO_TICKER,
      WaitReason.PRICE,
      WaitReason.NO_TICKER,
      WaitReason.PRICE,
    ]);
  });

  test.each([
    ['an instrument', { instrument: 'LTCBTC' }, [1, 3]],
    ['states', { statuses: [OrderStatus.CANCELED, OrderStatus.FILLED] }, [0]],
    ['both', { instrument: 'BNBUSDT', statuses: [OrderStatus.OPEN] }, [2, 4]],
    ['an account without any', { account: 'lists.none' }, []],
  ])('can be of %s alone', async (_name, request, places) => {
    expect((await list(request)).ids).toEqual(places.map((place) => ids[place]));
  });

  test('comes in pages, which hold all of it once, also while orders come in', async () => {
    const pages: string[][] = [];
    let pageToken = '';
    do {
      const page = await list({ pageSize: 2, pageToken });
      pages.push(page.ids);
      pageToken = page.nextPageToken;
      await floor.submit({ account, limitPrice: '90' });
    } while (pageToken !== '');
    expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
  });

  test.each([
    'x',
    'AAAA',
    Buffer.from('9999999999999999.id').toString('base64url'),
    Buffer.from('-1.id').toString('base64url'),
    Buffer.from(`1.${'i'.repeat(65)}`).toString('base64url'),
    Buffer.from("1.' or 1=1 --").toString('base64url'),
    'a'.repeat(513),
  ])('with the forged page token %j is refused', async (pageToken) => {
    await expect(list({ pageToken })).rejects.toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: expect.stringContaining('page_token: '),
    });
  });

  test.each([
    [{ pageSize: -1 }, 'page_size'],
    [{ pageSize: 1001 }, 'page_size'],
    [{ statuses: [0] }, 'statuses'],
    [{ statuses: [99] }, 'statuses'],
    [{ account: '../lists' }, 'account'],
  ])('asked for with %j is refused', async (request, field) => {
    await expect(list(request)).rejects.toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: expect.stringContaining(field),
    });
  });

  test.each(['order_id', 'client_order_id'])(
    'has each order by its %s, in its account alone',
    async (name) => {
      const order =
        name === 'order_id'
          ? { case: 'orderId' as const, value: ids[4] ?? '' }
          : { case: 'clientOrderId' as const, value: 'list-0' };
      expect((await floor.orders.getOrder({ account, order })).order?.orderId).toBe(ids[4]);
      await expect(floor.orders.getOrder({ order })).rejects.toMatchObject({ code: Code.NotFound });
      await expect(
        floor.orders.getOrder({ account, order: { case: undefined } }),
      ).rejects.toMatchObject({ code: Code.InvalidArgument });
    },
  );
});
