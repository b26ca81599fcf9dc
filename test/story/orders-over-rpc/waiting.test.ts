import { Code } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  CancelReason,
  OrderStatus,
  TimeInForce,
  WaitReason,
} from '../../../gen/tradewind/order/v1/order_pb.ts';
import { eventually } from '../../support/eventually.ts';
import { Floor } from './open-floor.ts';

let floor: Floor;

beforeAll(async () => {
  floor = await Floor.open();
});
afterAll(() => floor[Symbol.asyncDispose]());

const untilItWaits = (
  orderId: string,
  waitReason: WaitReason,
  waitingFor: string | RegExp,
  account = '',
) =>
  eventually(async () =>
    expect(await floor.order(orderId, account)).toMatchObject({
      waitReason,
      waitingFor: typeof waitingFor === 'string' ? waitingFor : expect.stringMatching(waitingFor),
    }),
  );

test('an order tells what it waits for, from one thing to the next, to its end', async () => {
  const { orderId } = await floor.submit({ limitPrice: '42', quantity: '25' });
  await untilItWaits(orderId, WaitReason.NO_TICKER, 'No book ticker has come yet');
  await floor.quote(['41.5', '10', '43', '10']);
  await untilItWaits(orderId, WaitReason.PRICE, 'The best bid is 41.5, below the limit of 42');
  await floor.quote(['43', '10', '42.9', '10']);
  await untilItWaits(orderId, WaitReason.NO_BOOK, 'The book is crossed: bid 43, ask 42.9');
  await floor.quote(['0', '0', '42.9', '10']);
  await untilItWaits(orderId, WaitReason.NO_BOOK, 'Nobody bids');
  await floor.quote(['42.5', '10', '43', '10']);
  await untilItWaits(orderId, WaitReason.LIQUIDITY_USED, 'All of the 10 displayed at 42.5 is used');
  // What it waits for is known a moment before the fill is stored.
  await eventually(async () => expect((await floor.order(orderId)).splitCount).toBe(1));
  // The other side changes: nothing new is displayed on this one.
  await floor.quote(['42.5', '10', '43.5', '1']);
  await untilItWaits(orderId, WaitReason.LIQUIDITY_USED, /^All of the 10/u);
  // That it is used is known at once; the split is shown when it is stored.
  await eventually(async () => expect((await floor.order(orderId)).splitCount).toBe(1));

  await floor.control({ action: 'refuse', door: 'both', status: 503 });
  await floor.control({ action: 'cut', symbol: 'BNBUSDT' });
  await untilItWaits(orderId, WaitReason.NO_FEED, /^The feed is down: /u);
  await floor.control({ action: 'clear' });
  await untilItWaits(orderId, WaitReason.NO_TICKER, 'No book ticker has come yet');
  // What was used is remembered: the same level once more is no new one.
  await eventually(async () => {
    await floor.inject('BNBUSDT', [
      { u: 500_000_000, s: 'BNBUSDT', b: '42.5', B: '10', a: '43.5', A: '1' },
    ]);
    expect((await floor.order(orderId)).waitReason).toBe(WaitReason.LIQUIDITY_USED);
  });
  expect((await floor.order(orderId)).splitCount).toBe(1);
  await floor.quote(['42.5', '10.5', '43.5', '1'], { u: 500_000_001 });
  await floor.quote(['42.6', '10.5', '43.5', '1']);
  await eventually(async () =>
    expect((await floor.order(orderId)).status).toBe(OrderStatus.FILLED),
  );
});

test('a ticker that is too old is not traded against: the exchange is asked for a fresh one', async () => {
  await floor.control({ action: 'rest', how: 'error', path: '/api/v3/depth' });
  await floor.control({ action: 'rest', how: 'error', path: '/api/v3/ticker/bookTicker' });
  await floor.quote(['0.02', '10', '0.03', '10'], { symbol: 'LTCBTC' });
  const shownMs = performance.now();
  const wish = { instrument: 'LTCBTC', limitPrice: '0.02', quantity: '1' };
  const { orderId } = await floor.submit({ ...wish, limitPrice: '0.021' });
  await eventually(() => performance.now() - shownMs > 5_000);
  const late = await floor.submit(wish);
  await untilItWaits(late.orderId, WaitReason.STALE_TICKER, /too old, and a new one is asked for/u);
  const atOnce = await floor.submit({ ...wish, timeInForce: TimeInForce.IOC });
  await eventually(async () =>
    expect(await floor.order(atOnce.orderId)).toMatchObject({
      cancelReason: CancelReason.NO_MARKET,
    }),
  );
  // One that waits for its price does not care.
  await untilItWaits(orderId, WaitReason.PRICE, /below the limit/u);
  await floor.control({ action: 'clear' });
  await eventually(async () =>
    expect((await floor.order(late.orderId)).status).toBe(OrderStatus.FILLED),
  );
});

test('whoever is halted places nothing and is not filled, but may cancel, until it is resumed', async () => {
  const account = 'suspect';
  const wish = { account, limitPrice: '60', quantity: '1' };
  const [{ orderId }, other] = await Promise.all([floor.submit(wish), floor.submit(wish)]);
  const halt = { case: 'account' as const, value: account };
  const answer = await floor.orders.haltTrading({ scope: halt, reason: 'under review' });
  expect(answer.halts).toMatchObject([{ account, reason: 'under review' }]);

  await expect(floor.submit(wish)).rejects.toMatchObject({
    code: Code.FailedPrecondition,
    rawMessage: `Trading is halted for account ${account}: no order is accepted (under review)`,
  });
  await untilItWaits(orderId, WaitReason.HALTED, 'Trading is halted for this account', account);
  await floor.quote(['61', '10', '62', '10']);
  await untilItWaits(orderId, WaitReason.HALTED, 'Trading is halted for this account', account);
  const name = { case: 'orderId' as const, value: other.orderId };
  expect((await floor.orders.cancelOrder({ account, order: name })).order?.status).toBe(
    OrderStatus.CANCELED,
  );
  // Others trade on.
  const free = await floor.submit({ limitPrice: '60', quantity: '1' });
  await eventually(async () =>
    expect((await floor.order(free.orderId)).status).toBe(OrderStatus.FILLED),
  );

  expect((await floor.orders.resumeTrading({ scope: halt })).halts).toEqual([]);
  await eventually(async () =>
    expect((await floor.order(orderId, account)).status).toBe(OrderStatus.FILLED),
  );
});

test('a halt of everything is everybody’s, and survives a restart of the server', async () => {
  const everything = { case: 'everything' as const, value: true };
  const { halts } = await floor.orders.haltTrading({ scope: everything });
  expect(halts).toMatchObject([{ account: '', reason: '' }]);
  expect((await floor.orders.listHalts({})).halts).toEqual(halts);
  const plain = await fetch(`${floor.url}/v1/trading:halts`);
  expect(await plain.json()).toMatchObject({ halts: [{ account: '', reason: '' }] });
  await expect(floor.submit()).rejects.toMatchObject({
    code: Code.FailedPrecondition,
    rawMessage: 'Trading is halted: no order is accepted',
  });
  await floor.stopServer();
  await floor.startServer();
  await expect(floor.submit()).rejects.toMatchObject({ code: Code.FailedPrecondition });
  await floor.orders.resumeTrading({ scope: everything });
  expect((await floor.orders.listHalts({})).halts).toEqual([]);
  await eventually(async () => expect((await floor.submit()).status).toBe(OrderStatus.OPEN));
});

test.each([
  [{}, 'scope'],
  [{ scope: { case: 'account', value: 'a b' } }, 'account'],
  [{ scope: { case: 'everything', value: false } }, 'everything'],
  [{ scope: { case: 'account', value: 'a' }, reason: 'r'.repeat(201) }, 'reason'],
  [{ scope: { case: 'account', value: 'a' }, reason: 'two\nlines' }, 'reason'],
] as const)('a halt like %j is refused', async (request, field) => {
  await expect(floor.orders.haltTrading(request)).rejects.toMatchObject({
    code: Code.InvalidArgument,
    rawMessage: expect.stringContaining(field),
  });
});
