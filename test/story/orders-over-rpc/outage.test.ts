import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OrderStatus } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { readStream } from '../../../src/rpc/client/read-stream.ts';
import { collect } from '../../support/collect.ts';
import { eventually } from '../../support/eventually.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { openStallingProxy } from '../../support/stalling-proxy.ts';
import { Floor, anOrder, splitsOf } from './open-floor.ts';

let proxy: Awaited<ReturnType<typeof openStallingProxy>>;
let floor: Floor;

beforeAll(async () => {
  const url = new URL(await createTestDatabase());
  proxy = await openStallingProxy(Number(url.port));
  url.port = String(proxy.port);
  floor = await Floor.open({ databaseUrl: url.href });
  await floor.quote(['40', '10', '41', '10']);
});
afterAll(async () => {
  await floor[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

describe('while the store is away, UNAVAILABLE is the answer to', () => {
  const order = { case: 'orderId' as const, value: 'some-order' };
  const scope = { case: 'account' as const, value: 'halted' };
  test.each<[string, (orders: Floor['orders']) => Promise<unknown>]>([
    ['SubmitLimitOrder', (orders) => orders.submitLimitOrder(anOrder())],
    ['CancelOrder', (orders) => orders.cancelOrder({ order })],
    ['CancelAllOrders', (orders) => orders.cancelAllOrders({})],
    ['GetOrder', (orders) => orders.getOrder({ order })],
    ['ListOrders', (orders) => orders.listOrders({})],
    ['HaltTrading', (orders) => orders.haltTrading({ scope })],
    ['ListHalts', (orders) => orders.listHalts({})],
    ['ResumeTrading', (orders) => orders.resumeTrading({ scope })],
    ['StreamOrderEvents', (orders) => collect(orders.streamOrderEvents({ scope }))],
  ])('%s', async (_name, ask) => {
    proxy.refuse();
    const answer = await ask(floor.orders).catch((error: unknown) => error);
    expect(ConnectError.from(answer).code).toBe(Code.Unavailable);
    proxy.accept();
    await floor.whenOrdersAreTaken();
  });
});

test('an outage loses no order, doubles no fill, and keeps the places of those who follow', async () => {
  const { orderId } = await floor.submit({ account: 'outage' });
  const events: string[] = [];
  const leaving = new AbortController();
  const stream = (async () => {
    const scope = { case: 'account' as const, value: 'outage' };
    const open = (signal: AbortSignal) => floor.orders.streamOrderEvents({ scope }, { signal });
    for await (const { event } of readStream(open, leaving.signal)) {
      if (event.case === 'orderEvent') events.push(event.value.event.case ?? '');
      if (event.case === 'snapshotEnd') events.push('began');
    }
  })().catch(() => {});
  await eventually(() => events.length === 1);
  proxy.refuse();
  await floor.quote(['43', '100', '44', '10']);
  proxy.accept();
  await floor.whenOrdersAreTaken();
  await floor.quote(['42', '25', '44', '10']);
  await eventually(async () => {
    expect((await floor.order(orderId, 'outage')).status).toBe(OrderStatus.FILLED);
  });
  // The first ticker fills it where the outage was over before it was noticed.
  expect([['25 @ 42'], ['25 @ 43']]).toContainEqual(splitsOf(await floor.order(orderId, 'outage')));
  await eventually(() => expect(events).toEqual(['began', 'filled']));
  leaving.abort();
  await stream;
});
