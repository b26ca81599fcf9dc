import { ViolationsSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OrderStatus, WaitReason } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { eventually } from '../../support/eventually.ts';
import { Floor, anOrder } from './open-floor.ts';

/** Their shards lie apart, the second and the last: where each server has half, it has one of them. */
const instruments = ['ETHBTC', 'BNBUSDT'];

let one: Floor;
let other: Floor;

beforeAll(async () => {
  one = await Floor.open();
  other = await one.openBeside();
  for (const symbol of instruments) await one.quote(['40', '10', '41', '10'], { symbol });
  await eventually(async () => String(await one.shardCounts()) === '8,8');
  await Promise.all([one.whenOrdersAreTaken(), other.whenOrdersAreTaken()]);
});
afterAll(async () => {
  await other.leave();
  await one[Symbol.asyncDispose]();
});

/** Both servers, each asked for both instruments: two of the four have to be sent on. */
const ways = [0, 1].flatMap((server) => instruments.map((instrument) => ({ server, instrument })));
const asked = (server: number) => (server === 0 ? one : other);

test.each(ways)('server $server takes, shows and cancels orders on $instrument', async (way) => {
  const floor = asked(way.server);
  const account = `taken-${way.server}-${way.instrument}`;
  const wish = { account, instrument: way.instrument, clientOrderId: 'mine' };
  const { orderId } = await floor.submit(wish);
  expect(await floor.order(orderId, account)).toMatchObject({
    waitReason: WaitReason.PRICE,
    waitingFor: 'The best bid is 40, below the limit of 42',
  });
  const again = await asked(1 - way.server).orders.submitLimitOrder(anOrder(wish));
  expect(again).toMatchObject({ alreadyAccepted: true, order: { orderId } });
  const order = { case: 'orderId' as const, value: orderId };
  const canceled = await floor.orders.cancelOrder({ account, order });
  expect(canceled.order).toMatchObject({ orderId, status: OrderStatus.CANCELED });
});

test.each(ways)('server $server refuses orders on $instrument with the field', async (way) => {
  const { server, instrument } = way;
  const wish = { instrument, quantity: '0' };
  const error = ConnectError.from(
    await asked(server)
      .submit(wish)
      .catch((error: unknown) => error),
  );
  const [violations] = error.findDetails(ViolationsSchema);
  expect([error.code, error.rawMessage]).toEqual([
    Code.InvalidArgument,
    'quantity: expected a decimal above 0, got 0',
  ]);
  expect(violations?.violations[0]?.field?.elements[0]?.fieldName).toBe('quantity');
});

test.each(ways)('server $server cancels all on $instrument, wherever it is', async (way) => {
  const { server, instrument } = way;
  const account = `all-${server}-${instrument}`;
  await Promise.all(instruments.map((each) => one.submit({ account, instrument: each })));
  const cancelAll = async (request: object) =>
    (await asked(server).orders.cancelAllOrders({ account, ...request })).canceledCount;
  expect([await cancelAll({ instrument }), await cancelAll({}), await cancelAll({})]).toEqual([
    1, 1, 0,
  ]);
});

test('a stream of either server tells what happens on both', async () => {
  const account = 'streamed';
  const told = await Promise.all(
    [one, other].map(async (floor) => {
      const events: string[] = [];
      const scope = { case: 'account' as const, value: account };
      for await (const { event } of floor.orders.streamOrderEvents({ scope })) {
        if (event.case === 'snapshotEnd' && floor === one) {
          for (const instrument of instruments) await other.submit({ account, instrument });
        }
        if (event.case === 'orderEvent') events.push(event.value.order?.instrument ?? '');
        if (event.case === 'order') events.push(event.value.instrument);
        if (events.length === 2) break;
      }
      return events;
    }),
  );
  const both = instruments.map((instrument) => `sim-binance:${instrument}`);
  expect(told).toEqual([both, both]);
});
