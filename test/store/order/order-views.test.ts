import { expect, test } from 'vitest';
import { parseDecimal } from '../../../src/base/decimal.ts';
import type { DecidedEvent } from '../../../src/order/order-log.ts';
import { noon } from '../../support/builders.ts';
import { DecidedOrder } from '../../support/decided-order.ts';
import { openPostgresDoor } from './order-log-doors.ts';

test('the tables of the trade executors show what was sold', async () => {
  await using door = await openPostgresDoor();
  const [lease] = (await door.leasesOf('one').renew()).leases;
  if (lease === undefined) throw new Error('Expected a lease');
  const append = (...events: DecidedEvent[]) => door.log.append({ lease, haltRevision: 1, events });
  // Of the order that a trade executor's database came with.
  const ltc = { instrument: 'sim-binance:LTC:BTC', limitPrice: '0.0001' };
  const quantities =
    '130.524 93.33 5.009 118.524 154.231 106.564 158.111 63.29 0.788 108.663 60.966'.split(' ');
  const whole = new DecidedOrder({ ...ltc, quantity: '1000' });
  const half = new DecidedOrder({ ...ltc, quantity: '1000' });
  const bought = new DecidedOrder({ ...ltc, side: 'buy', quantity: '1' });
  const orders = [whole, half, bought];
  await append(...orders.map(({ accepted }) => accepted));
  await append(
    ...quantities.map((quantity, index) =>
      whole.split({
        quantity,
        price: `0.00${index + 10}`,
        updateId: 1_742_642_378 + index,
        time: noon + index,
      }),
    ),
    bought.split({ quantity: '1', price: '0.0001' }),
    half.split({ quantity: '2.5', price: '0.0002', updateId: 9, time: noon + 99 }),
    half.cancel(),
  );
  const select = (statement: string) => door.database.run((sql) => sql.text(statement));

  const fulfilled = await select('select * from fulfilled_orders');
  expect(fulfilled).toEqual([
    {
      id: 1,
      created_at: noon + 10,
      symbol: 'LTC:BTC',
      quantity: 1000,
      price: 0.0001,
      exchange: 'sim-binance',
    },
  ]);
  const splits = await select('select * from fulfilled_order_splits order by id');
  const ids = splits.map(({ id }) => id);
  expect(new Set(ids).size).toBe(quantities.length);
  expect(splits).toEqual(
    quantities.map((quantity, index) => ({
      id: ids[index],
      order_id: 1,
      update_id: 1_742_642_378 + index,
      quantity: Number(quantity),
      price: Number(`0.00${index + 10}`),
      exchange: 'sim-binance',
    })),
  );
  expect(await select('select sum(quantity::numeric) from fulfilled_order_splits')).toEqual([
    { sum: '1000.000' },
  ]);

  const sold = await select('select * from sell_order_books order by id');
  expect(sold).toHaveLength(quantities.length + 1);
  expect(sold.at(-1)).toEqual({
    id: expect.any(Number),
    sell_order_id: half.orderId,
    bid_id: '9',
    symbol: 'LTC:BTC',
    quantity: 2.5,
    minimum_sell_price: 0.0001,
    bid_price: 0.0002,
    created_at: noon + 99,
    exchange: 'sim-binance',
  });
  expect(whole.order.filledQuantity).toBe(parseDecimal('1000'));
});
