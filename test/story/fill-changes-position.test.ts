import { expect, test } from 'vitest';
import { OrderSide, TimeInForce } from '../../gen/tradewind/order/v1/order_pb.ts';
import type { StreamPositionsResponse } from '../../gen/tradewind/position/v1/position_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import { openServerClient } from '../../src/rpc/client.ts';
import { eventually } from '../support/eventually.ts';
import { anExecutionRow } from '../support/an-execution-row.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { followPositions } from '../support/position-stream.ts';
import { openSimulatedServer } from '../interop/simulated-server.ts';

const instrument = 'BNBUSDT';

test('a fill changes the position by exactly itself, on the stream and in every answer', async () => {
  await using server = await openSimulatedServer({
    BINANCE_SYMBOLS: instrument,
    HISTORY_CANDLES: '0',
    DATABASE_URL: await createTestDatabase(),
  });
  using client = openServerClient(server.url, { clock: systemClock });
  const { positions, orders } = client;
  let u = 400_900_216;
  /** Shows the next book ticker, as soon as somebody looks at it. */
  const show = (b: string, B: string) =>
    eventually(async () => {
      const ticker = { u: ++u, s: instrument, b, B, a: '44.0', A: '10.0' };
      return (await server.inject(instrument, [ticker])) > 0;
    });
  const bought = anExecutionRow({ instrument, quantity: '100', price: '40' });
  await eventually(() => positions.recordExecutions({ executions: [bought] }));
  const ask = async () => {
    const { position } = await positions.queryPosition({ instrument });
    return shownOf(position);
  };
  expect(await ask()).toEqual({ quantity: '100', cost: '4000', realizedProfit: '0', count: 1n });

  await using stream = followPositions(positions);
  await stream.snapshot();
  const isPosition = ({ event }: StreamPositionsResponse) => event.case === 'position';
  const told = async () => {
    const { event } = (await stream.until(isPosition)).at(-1) ?? {};
    return event?.case === 'position' ? shownOf(event.value) : undefined;
  };
  await show('40.0', '10.0');
  await eventually(() =>
    orders.submitLimitOrder({
      instrument,
      side: OrderSide.SELL,
      quantity: '25',
      limitPrice: '42',
      timeInForce: TimeInForce.GTC,
      clientOrderId: 'sell-25',
    }),
  );
  expect(await ask()).toEqual({ quantity: '100', cost: '4000', realizedProfit: '0', count: 1n });

  await show('42.0', '5.0');
  const first = { quantity: '95', cost: '3800', realizedProfit: '10', count: 2n };
  expect(await told()).toEqual(first);
  expect(await ask()).toEqual(first);

  await show('42.5', '30.0');
  const second = { quantity: '75', cost: '3000', realizedProfit: '60', count: 3n };
  expect(await told()).toEqual(second);
  expect(await ask()).toEqual(second);

  const { executions } = await positions.listExecutions({ instrument });
  const fills = executions.filter(({ source }) => source === 'order');
  expect(fills.map(({ quantity, price }) => `${quantity} @ ${price}`)).toEqual([
    '-5 @ 42',
    '-20 @ 42.5',
  ]);
});

type Shown = { quantity: string; cost: string; realizedProfit: string; executionCount: bigint };

function shownOf(position: Shown | undefined) {
  if (position === undefined) throw new Error('Expected a position');
  const { quantity, cost, realizedProfit, executionCount: count } = position;
  return { quantity, cost, realizedProfit, count };
}
