import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isTerminal } from '../../../src/domain/order.ts';
import type { Order } from '../../../src/domain/order.ts';
import { applyOrderEvent } from '../../../src/domain/order-event.ts';
import type { ConsumedLevel, ShardLease } from '../../../src/order/order-log.ts';
import { Random } from '../../../src/simulator/random.ts';
import { openPostgresDoor } from './order-log-doors.ts';
import { RandomTrading } from '../random-trading.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const rounds = process.env['CI'] === 'true' ? 100 : 30;

describe('the order log replayed from zero', () => {
  let door: Awaited<ReturnType<typeof openPostgresDoor>>;
  let leases: readonly ShardLease[];

  beforeAll(async () => {
    door = await openPostgresDoor();
    leases = (await door.leasesOf('one').renew()).leases.slice(0, 3);
  });
  afterAll(() => door[Symbol.asyncDispose]());

  test('makes the orders, levels and executions that are stored', async () => {
    console.log(`replayed orders: ${rounds} rounds, SEED=${seed}`);
    await Promise.all(
      leases.map(async (lease) => {
        const trading = new RandomTrading(`S${lease.shard}x`, new Random(seed + lease.shard));
        for (let round = 0; round < rounds; round++) {
          const outcome = await door.log.append({
            lease,
            haltRevision: 1,
            events: trading.decide(16),
          });
          expect(outcome).toEqual({ type: 'committed', duplicates: new Map() });
        }
      }),
    );

    const events = await door.listEvents();
    const orders = new Map<string, Order>();
    const levels = new Map<string, ConsumedLevel>();
    const bought = new Map<string, bigint>();
    for (const { event, order } of events) {
      const after = applyOrderEvent(orders.get(event.orderId), event);
      // Each event tells the order as it was then.
      expect(order).toEqual(after);
      orders.set(event.orderId, after);
      if (event.type !== 'filled') continue;
      const { instrument, side, account } = after;
      const { updateId, price, displayedQuantity, consumedAfter: consumed } = event;
      levels.set(`${instrument} ${side}`, {
        instrument,
        side,
        updateId,
        price,
        displayedQuantity,
        consumed,
      });
      const key = `${account} ${instrument}`;
      const quantity = side === 'buy' ? event.quantity : -event.quantity;
      bought.set(key, (bought.get(key) ?? 0n) + quantity);
    }
    expect(orders.size).toBeGreaterThan(100);
    for (const order of orders.values()) expect(await door.getOrder(order)).toEqual(order);

    const contents = await Promise.all(leases.map((lease) => door.log.load(lease)));
    const open = contents.flatMap((shard) => shard?.orders ?? []);
    const expected = [...orders.values()].filter((order) => !isTerminal(order));
    expect(open.map(({ orderId }) => orderId).toSorted()).toEqual(
      expected.map(({ orderId }) => orderId).toSorted(),
    );
    const used = contents.flatMap((shard) => shard?.consumed ?? []);
    expect(used).toHaveLength(levels.size);
    for (const level of used)
      expect(level).toEqual(levels.get(`${level.instrument} ${level.side}`));

    const sums = new Map<string, bigint>();
    for (const { account, instrument, quantity } of await door.listExecutions()) {
      const key = `${account} ${instrument}`;
      sums.set(key, (sums.get(key) ?? 0n) + quantity);
    }
    expect(sums).toEqual(bought);
    // And the database says so itself.
    const wrong = await door.database.run(
      (sql) => sql`
      select order_id from orders
      join order_event using (order_id)
      group by order_id, orders.version, orders.filled_quantity, orders.filled_notional
      having count(*) <> orders.version
        or coalesce(sum(order_event.quantity) filter (where type = 'filled'), 0) <> orders.filled_quantity
        or coalesce(sum(price * order_event.quantity), 0) <> orders.filled_notional`,
    );
    expect(wrong).toEqual([]);
  });
});
