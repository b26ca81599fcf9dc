import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CancelReason,
  OrderSide,
  OrderStatus,
  TimeInForce,
  WaitReason,
} from '../../../gen/tradewind/order/v1/order_pb.ts';
import { microsOf } from '../../../src/rpc/messages.ts';
import { eventually } from '../../support/eventually.ts';
import { Floor, splitsOf } from './open-floor.ts';

let floor: Floor;

beforeAll(async () => {
  floor = await Floor.open();
});
afterAll(() => floor[Symbol.asyncDispose]());

test('the worked example: 25 BNB sold at 42 or better over three tickers', async () => {
  const { orderId, ...placed } = await floor.submit();
  expect(placed).toMatchObject({
    instrument: 'sim-binance:BNBUSDT',
    account: 'default',
    status: OrderStatus.OPEN,
    waitReason: WaitReason.NO_TICKER,
    filledQuantity: '0',
    remainingQuantity: '25',
    splits: [],
    version: 1,
  });
  await floor.quote(['40.0', '10.0', '41.0', '10'], { u: 400_900_217 });
  expect(await floor.order(orderId)).toMatchObject({
    waitReason: WaitReason.PRICE,
    waitingFor: 'The best bid is 40, below the limit of 42',
  });
  await floor.quote(['42.0', '5.0', '43.0', '10'], { u: 400_900_223 });
  await eventually(async () => expect((await floor.order(orderId)).version).toBe(2));
  expect(await floor.order(orderId)).toMatchObject({
    status: OrderStatus.PARTIALLY_FILLED,
    waitReason: WaitReason.LIQUIDITY_USED,
    remainingQuantity: '20',
    averagePrice: '42',
  });
  await floor.quote(['42.5', '30.0', '43.0', '10'], { u: 400_900_235 });
  await eventually(async () => expect((await floor.order(orderId)).version).toBe(3));
  const filled = await floor.order(orderId);
  expect(filled).toMatchObject({
    status: OrderStatus.FILLED,
    waitReason: WaitReason.UNSPECIFIED,
    waitingFor: '',
    filledQuantity: '25',
    remainingQuantity: '0',
    filledNotional: '1060',
    averagePrice: '42.4',
    splitCount: 2,
    splits: [
      { version: 2, price: '42', quantity: '5', updateId: 400_900_223n, displayedQuantity: '5' },
      { version: 3, price: '42.5', quantity: '20', updateId: 400_900_235n, consumedAfter: '20' },
    ],
  });
});

describe('with 10 bid at 50 and 10 offered at 51', () => {
  const buy = { side: OrderSide.BUY, limitPrice: '60', quantity: '1' };
  const sell = { limitPrice: '45', quantity: '4' };
  // Another quantity each time makes all of it available anew.
  let displayed = 10;
  const show = () => floor.quote(['50', `${++displayed}`, '51', `${displayed}`]);

  test('an order is filled as it enters, and never shows a time before its acceptance', async () => {
    await show();
    const { orderId, ...answer } = await floor.submit(sell);
    expect(answer).toMatchObject({ status: OrderStatus.OPEN, version: 1 });
    await eventually(async () => expect((await floor.order(orderId)).version).toBe(2));
    const { acceptedTime, updatedTime, splits, averagePrice } = await floor.order(orderId);
    if (acceptedTime === undefined || updatedTime === undefined) throw new Error('Expected times');
    expect(averagePrice).toBe('50');
    expect(microsOf(updatedTime)).toBeGreaterThanOrEqual(microsOf(acceptedTime));
    // The split tells when what it was filled against was received.
    const received = splits[0]?.time;
    if (received === undefined) throw new Error('Expected a time');
    expect(microsOf(received)).toBeLessThan(microsOf(acceptedTime));
  });

  test.each([
    ['a GTC buys from the ask', { ...buy }, OrderStatus.FILLED, ['1 @ 51']],
    [
      'an IOC takes what it gets',
      { ...sell, quantity: '40', timeInForce: TimeInForce.IOC },
      OrderStatus.CANCELED,
      [expect.stringMatching(/^1\d @ 50$/u)],
    ],
    [
      'a FOK is filled whole',
      { ...sell, timeInForce: TimeInForce.FOK },
      OrderStatus.FILLED,
      ['4 @ 50'],
    ],
    [
      'a FOK is not filled in part',
      { ...sell, quantity: '40', timeInForce: TimeInForce.FOK },
      OrderStatus.CANCELED,
      [],
    ],
    [
      'an IOC out of reach gets nothing',
      { ...sell, limitPrice: '52', timeInForce: TimeInForce.IOC },
      OrderStatus.CANCELED,
      [],
    ],
    [
      'a GTD expires',
      { ...sell, limitPrice: '52', expiry: { case: 'timeout', value: { seconds: 1n } } } as const,
      OrderStatus.EXPIRED,
      [],
    ],
  ])('%s', async (_name, wish, status, splits) => {
    await show();
    const { orderId } = await floor.submit(wish);
    await eventually(async () => expect((await floor.order(orderId)).status).toBe(status));
    const order = await floor.order(orderId);
    expect(splitsOf(order)).toEqual(splits);
    const reasons = {
      [TimeInForce.IOC]: CancelReason.NOT_FILLED_AT_ONCE,
      [TimeInForce.FOK]: CancelReason.NOT_COVERED,
    };
    const isCanceled = status === OrderStatus.CANCELED;
    expect(order.cancelReason).toBe(
      isCanceled ? reasons[order.timeInForce as keyof typeof reasons] : CancelReason.UNSPECIFIED,
    );
    if (status === OrderStatus.EXPIRED) {
      expect(order.updatedTime).toEqual(order.expireTime);
      expect(order.expireTime?.seconds).toBe((order.acceptedTime?.seconds ?? 0n) + 1n);
    }
  });
});

test('an IOC without a book ticker is canceled as such', async () => {
  const { orderId } = await floor.submit({ instrument: 'LTCBTC', timeInForce: TimeInForce.IOC });
  await eventually(async () =>
    expect(await floor.order(orderId)).toMatchObject({
      status: OrderStatus.CANCELED,
      cancelReason: CancelReason.NO_MARKET,
    }),
  );
});
