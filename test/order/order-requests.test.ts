import { expect, test } from 'vitest';
import { parseDecimal } from '../../src/base/decimal.ts';
import type { Refusal } from '../../src/domain/refusal.ts';
import { shardOf } from '../../src/order/shard-of.ts';
import { TwinWorld, aRequest, instrument } from '../support/twin-desk.ts';

const refused = (reason: Refusal['reason'], field?: string) =>
  expect.objectContaining({ reason, ...(field !== undefined && { field }) });

test('a repeated submission is answered with the order that there is', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const request = aRequest({ clientOrderId: 'mine' });
  const first = await manager.submit(request);
  const again = await manager.submit(request);
  expect([first.isAlreadyAccepted, again.isAlreadyAccepted]).toEqual([false, true]);
  expect(again.order.orderId).toBe(first.order.orderId);
  expect(world.log.orders.size).toBe(1);
});

test('submissions at the same time under one client order id make one order', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const request = aRequest({ clientOrderId: 'mine' });
  const answers = await Promise.all(Array.from({ length: 8 }, () => manager.submit(request)));
  expect(answers.filter(({ isAlreadyAccepted }) => !isAlreadyAccepted)).toHaveLength(1);
  expect(new Set(answers.map(({ order }) => order.orderId)).size).toBe(1);
});

test.each([
  ['side', aRequest({ side: 'buy' })],
  ['quantity', aRequest({ quantity: '2' })],
  ['limit price', aRequest({ limitPrice: '101' })],
  ['time in force', aRequest({ timeInForce: 'FOK' })],
  ['instrument', aRequest({ instrument: 'binance:ETHUSDT' })],
])('another %s under the same client order id is refused', async (_, other) => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const named = { clientOrderId: 'mine' };
  const both = await Promise.allSettled([
    manager.submit(aRequest(named)),
    manager.submit({ ...other, ...named }),
  ]);
  expect(both).toEqual([
    expect.objectContaining({ status: 'fulfilled' }),
    expect.objectContaining({ reason: refused('alreadyExists', 'client_order_id') }),
  ]);
  await expect(manager.submit({ ...other, ...named })).rejects.toEqual(refused('alreadyExists'));
});

test('another account may use the same client order id', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  await manager.submit(aRequest({ clientOrderId: 'mine' }));
  const { isAlreadyAccepted } = await manager.submit(
    aRequest({ clientOrderId: 'mine', account: 'other' }),
  );
  expect(isAlreadyAccepted).toBe(false);
});

test('a timeout is the same request whenever it is sent', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const request = aRequest({ clientOrderId: 'mine', timeInForce: 'GTD' });
  const { order } = await manager.submit(request, { timeout: 2_000_000 });
  expect(order.expireTime).toBe(order.acceptedTime + 2_000_000);
  // Also when it has expired long ago, and could not be accepted any more.
  await world.pass(5_000);
  const again = await manager.submit(request, { timeout: 2_000_000 });
  expect(again.order).toMatchObject({ orderId: order.orderId, status: 'expired' });
  await expect(manager.submit(request, { timeout: 3_000_000 })).rejects.toEqual(
    refused('alreadyExists'),
  );
});

test('what was accepted once is answered whatever the limits are by now', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk({ maximumOpenOrders: 1 });
  const request = aRequest({ clientOrderId: 'mine' });
  await manager.submit(request);
  world.log.halt();
  await world.pass(1_500);
  expect(await manager.submit(request)).toMatchObject({ isAlreadyAccepted: true });
  await expect(manager.submit(aRequest())).rejects.toEqual(refused('failedPrecondition'));
});

test('an open order is canceled once that is stored, and stays canceled', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const { order } = await manager.submit(aRequest());
  const twice = await Promise.all([manager.cancel(order), manager.cancel(order)]);
  expect(twice.map(({ status, cancelReason }) => [status, cancelReason])).toEqual([
    ['canceled', 'requested'],
    ['canceled', 'requested'],
  ]);
  expect(world.log.orders.get(order.orderId)?.status).toBe('canceled');
  expect(world.log.events).toHaveLength(2);
});

test('a cancel that meets a fill which is not stored waits, and is decided by what becomes of it', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const { order: filled } = await manager.submit(aRequest());
  world.ticker({ bid: ['100', '1'] });
  await expect(manager.cancel(filled)).rejects.toEqual(refused('failedPrecondition'));
  expect(world.log.orders.get(filled.orderId)?.status).toBe('filled');

  const { order: kept } = await manager.submit(aRequest({ limitPrice: '200' }));
  world.log.faults.push('lost');
  world.ticker({ bid: ['200', '1'] });
  world.market.outage = 'The line was cut';
  const answer = manager.cancel(kept);
  await expect(answer).rejects.toEqual(refused('unavailable'));
  await world.settle();
  await expect(manager.cancel(kept)).resolves.toMatchObject({ status: 'canceled' });
});

test('an order that nobody has cannot be canceled, nor that of another account', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const { order } = await manager.submit(aRequest());
  const unknown = { ...order, orderId: 'none' };
  await expect(manager.cancel(unknown)).rejects.toEqual(refused('notFound', 'order_id'));
  const others = { ...order, account: 'other' };
  await expect(manager.cancel(others)).rejects.toEqual(refused('notFound', 'order_id'));
});

test('all open orders of an account are canceled, or those of one instrument', async () => {
  await using world = new TwinWorld();
  const most = { maximumOpenOrders: 10_000, maximumPendingOrders: 10_000 };
  const { manager } = await world.openDesk(most);
  const other = { instrument: 'binance:ETHUSDT' };
  await manager.submit(aRequest({ account: 'other' }));
  await manager.submit(aRequest(other));
  // More than may be decided without being stored.
  for (let round = 0; round < 2; round++) {
    await Promise.all(Array.from({ length: 3_000 }, () => manager.submit(aRequest())));
  }
  const ethers = await manager.cancelAll('default', other.instrument);
  expect(ethers.map(({ instrument }) => instrument)).toEqual([other.instrument]);
  const bitcoins = await manager.cancelAll('default');
  expect(bitcoins).toHaveLength(6_000);
  const open = [...world.log.orders.values()].filter(({ status }) => status === 'open');
  expect(open.map(({ account }) => account)).toEqual(['other']);
});

test('an account’s open orders are bounded over all instruments', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk({ maximumOpenOrders: 2 });
  const { order } = await manager.submit(aRequest());
  await manager.submit(aRequest({ instrument: 'binance:ETHUSDT' }));
  await expect(manager.submit(aRequest())).rejects.toEqual(refused('limit'));
  await manager.submit(aRequest({ account: 'other' }));
  await manager.cancel(order);
  await manager.submit(aRequest());
});

test('those that wait for their commit are bounded', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk({ maximumPendingOrders: 3 });
  const answers = await Promise.allSettled(
    Array.from({ length: 5 }, () => manager.submit(aRequest())),
  );
  expect(answers.map(({ status }) => status).toSorted()).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
    'rejected',
  ]);
  await manager.submit(aRequest());
});

test.each([
  ['a notional', aRequest({ quantity: '1001', limitPrice: '1000' }), 'limit', 'quantity'],
  ['a lot', aRequest({ quantity: '0.15' }), 'invalid', 'quantity'],
  ['a collar', aRequest({ limitPrice: '89' }), 'failedPrecondition', 'limit_price'],
  ['an expiry', aRequest({ timeInForce: 'GTD', expireTime: 1 }), 'invalid', 'expire_time'],
] as const)('%s that cannot be is refused', async (_, request, reason, field) => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk({ priceCollarPercent: 10 });
  world.market.limits = { ...world.market.limits, lotSize: parseDecimal('0.1') };
  world.ticker({ bid: ['100', '1'] });
  await expect(manager.submit(request)).rejects.toEqual(refused(reason, field));
  expect(world.log.events).toEqual([]);
});

test('who is halted is not filled nor taken, but can cancel and does expire', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const { order } = await manager.submit(aRequest({ account: 'halted' }));
  await manager.submit(aRequest({ account: 'halted', timeInForce: 'GTD' }), { timeout: 5_000_000 });
  await manager.submit(aRequest({ account: 'free' }));
  world.log.halt('halted');
  // Nobody has told the server yet.
  world.ticker({ bid: ['100', '10'] });
  await world.settle();
  expect([...world.log.orders.values()].map(({ status }) => status)).toEqual([
    'open',
    'open',
    'filled',
  ]);
  expect(manager.waitingFor(order)).toEqual({ type: 'halted', isEverything: false });
  await expect(manager.submit(aRequest({ account: 'halted' }))).rejects.toEqual(
    refused('failedPrecondition'),
  );
  await world.pass(6_000);
  await manager.cancel(order);
  expect([...world.log.orders.values()].map(({ status }) => status)).toEqual([
    'canceled',
    'expired',
    'filled',
  ]);
});

test('trading goes on within a second after a halt has ended', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  world.log.halt();
  await world.pass(1_500);
  await expect(manager.submit(aRequest())).rejects.toEqual(refused('failedPrecondition'));
  world.log.resume();
  await world.pass(1_500);
  await manager.submit(aRequest());
});

test('an instrument’s shard never changes, because what is stored is divided by it', () => {
  const names = [instrument, 'binance:ETHUSDT', 'sim-binance:LTCBTC', 'kraken:柴犬'];
  expect(names.map(shardOf)).toEqual([0, 12, 15, 15]);
});
