import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import type { DecidedEvent, ShardLease } from '../../../src/order/order-log.ts';
import { openDatabase } from '../../../src/store/database.ts';
import type { Database } from '../../../src/store/database.ts';
import { OrderLogStore } from '../../../src/store/order/order-log-store.ts';
import { DecidedOrder } from '../../support/decided-order.ts';
import { eventually } from '../../support/eventually.ts';
import { openPostgresDoor } from './order-log-doors.ts';

/** What every writer of the log waits for last; an append is kept under way by holding it. */
const positionLock = 7_201_810_002;

describe('appends of orders in Postgres', () => {
  let door: Awaited<ReturnType<typeof openPostgresDoor>>;
  let other: Database;
  let leases: readonly ShardLease[];
  const lease = (shard: number) => {
    const found = leases[shard];
    if (found === undefined) throw new Error('Expected a lease');
    return found;
  };
  const append = (shard: number, ...events: readonly DecidedEvent[]) =>
    door.log.append({ lease: lease(shard), haltRevision: 1, events });
  const eventuallyWaits = (what: string) =>
    eventually(async () => {
      const rows = await other.run(
        (sql) => sql`
        select from pg_stat_activity
        where wait_event_type = 'Lock' and query like ${`%${what}%`} and pid <> pg_backend_pid()
          and datname = current_database()`,
      );
      return rows.length > 0;
    });
  /** Keeps all appends under way until `release`. */
  const holdAppends = async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: held, resolve: hold } = Promise.withResolvers<void>();
    const done = other.transaction(async (sql) => {
      await sql`select pg_advisory_xact_lock(${positionLock}::bigint)`;
      hold();
      await released;
    });
    await held;
    return async () => {
      release();
      await done;
    };
  };

  beforeEach(async () => {
    door = await openPostgresDoor();
    other = openDatabase({
      url: door.database.url,
      program: 'other',
      clock: systemClock,
      logger: silentLogger,
    });
    leases = (await door.leasesOf('one').renew()).leases;
  });
  afterEach(async () => {
    await other[Symbol.asyncDispose]();
    await door[Symbol.asyncDispose]();
  });

  test('are passed by no takeover: the shard is left until they are over', async () => {
    const order = new DecidedOrder();
    const release = await holdAppends();
    const appending = append(3, order.accepted);
    await eventuallyWaits('append_order_events');
    await door.expireOwner('one');
    const { leases: taken } = await door.leasesOf('two').renew();
    expect(taken.map(({ shard }) => shard)).toEqual([
      0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ]);
    await release();
    expect(await appending).toMatchObject({ type: 'committed' });
    const later = (await door.leasesOf('two').renew()).leases[3];
    expect(later).toMatchObject({ shard: 3, owner: 'two' });
    expect(later && (await door.log.load(later))?.orders).toEqual([order.order]);
  });

  test('under way are waited for by a load, which then has what they stored', async () => {
    const order = new DecidedOrder();
    const release = await holdAppends();
    const appending = append(3, order.accepted);
    await eventuallyWaits('append_order_events');
    const loading = door.log.load(lease(3));
    await eventuallyWaits('update shard_lease');
    await release();
    await appending;
    expect((await loading)?.orders).toEqual([order.order]);
  });

  test('that arrive while the shard changes hands are refused', async () => {
    let appending: Promise<unknown> = Promise.resolve();
    await other.transaction(async (sql) => {
      await sql`update shard_lease set owner = 'two', epoch = epoch + 1 where shard = 3`;
      appending = append(3, new DecidedOrder().accepted);
      await eventuallyWaits('append_order_events');
    });
    expect(await appending).toEqual({ type: 'refused', reason: 'leaseLost' });
  });

  test('under way are waited for by a halt, and those after it are refused', async () => {
    const release = await holdAppends();
    const appending = append(3, new DecidedOrder().accepted);
    await eventuallyWaits('append_order_events');
    let isHalted = false;
    const halting = door.halt('alice').then(() => (isHalted = true));
    await eventuallyWaits('halt_trading');
    // It comes behind the halt, although another append shares the lock already.
    const behind = append(4, new DecidedOrder().accepted);
    expect(isHalted).toBe(false);
    await release();
    expect(await appending).toMatchObject({ type: 'committed' });
    await halting;
    expect(await behind).toEqual({ type: 'refused', reason: 'haltsChanged' });
  });

  test('do not hold up renewals, nor each other', async () => {
    const release = await holdAppends();
    const appending = append(3, new DecidedOrder().accepted);
    await eventuallyWaits('append_order_events');
    expect((await door.leasesOf('one').renew()).leases).toEqual(leases);
    const order = new DecidedOrder();
    const another = append(4, order.accepted);
    await release();
    expect(await Promise.all([appending, another])).toMatchObject([
      { type: 'committed' },
      { type: 'committed' },
    ]);
  });

  test('of all shards share a commit, as far as its bound goes', async () => {
    const commits = async () => {
      const rows = await other.run(
        (sql) => sql<{ count: number }>`
        select count(distinct recorded_at) from order_event`,
      );
      return rows[0]?.count;
    };
    await Promise.all(leases.map(({ shard }) => append(shard, new DecidedOrder().accepted)));
    expect(await commits()).toBe(1);
    const accept = (count: number) =>
      Array.from({ length: count }, () => new DecidedOrder().accepted);
    await Promise.all([2_000, 2_096, 1].map((count, shard) => append(shard, ...accept(count))));
    expect(await commits()).toBe(3);
  });

  test('with the same client order ids in opposite orders do not lock each other up', async () => {
    const keys = Array.from({ length: 40 }, (_, key) => `key-${key}`);
    const results = await Promise.all(
      leases.map(async ({ shard }) => {
        const wanted = shard % 2 === 0 ? keys : keys.toReversed();
        const orders = wanted.map((clientOrderId) => new DecidedOrder({ clientOrderId }));
        const outcome = await append(shard, ...orders.map(({ accepted }) => accepted));
        if (outcome.type !== 'committed') throw new Error('Expected all to be committed');
        return { orders, duplicates: outcome.duplicates };
      }),
    );
    const all = results.flatMap(({ orders, duplicates }) =>
      orders.map((order) => duplicates.get(order.orderId) ?? order.order),
    );
    // Everybody was told the same order for the same key, and there is no other.
    const byKey = Map.groupBy(all, ({ clientOrderId }) => clientOrderId);
    expect(
      [...byKey.values()].map((same) => new Set(same.map(({ orderId }) => orderId)).size),
    ).toEqual(keys.map(() => 1));
    expect(await door.listEvents()).toHaveLength(keys.length);
  });

  test('are refused where they would not see what was committed while they waited', async () => {
    const events = [new DecidedOrder().accepted];
    await expect(
      other.transaction(async (sql) => {
        await sql`set transaction isolation level repeatable read`;
        const log = new OrderLogStore({ ...other, run: (work) => work(sql) });
        return await log.append({ lease: lease(0), haltRevision: 1, events });
      }),
    ).rejects.toThrow('Orders are appended in read committed only');
  });

  // What no engine decides; told by one that has a bug.
  test.each<[what: string, wrong: (event: DecidedEvent) => DecidedEvent, constraint: string]>([
    [
      'beyond its quantity',
      ({ event, order }) => ({
        event: {
          ...event,
          quantity: 11n * 10n ** 18n,
          displayedQuantity: 10n ** 21n,
          consumedAfter: 10n ** 21n,
        } as typeof event,
        order: { ...order, filledQuantity: 11n * 10n ** 18n, filledNotional: 1100n * 10n ** 36n },
      }),
      'orders_filled_quantity',
    ],
    [
      'at a price worse than its limit',
      ({ event, order }) => ({
        event: { ...event, price: 99n * 10n ** 18n } as typeof event,
        order: { ...order, filledNotional: 99n * 10n ** 36n },
      }),
      'orders_filled_notional',
    ],
    [
      'with more than is displayed',
      ({ event, order }) => ({
        event: { ...event, consumedAfter: 1001n * 10n ** 18n } as typeof event,
        order,
      }),
      'consumed_level_consumed',
    ],
  ])('never store a fill %s', async (_, wrong, constraint) => {
    const order = new DecidedOrder();
    await append(0, order.accepted);
    const event = wrong(order.split({ quantity: '1' }));
    await expect(append(0, event)).rejects.toThrow(constraint);
    expect(await door.listEvents()).toHaveLength(1);
    expect(await door.listExecutions()).toEqual([]);
  });

  test.each([
    ['update order_event set quantity = 1', 'order_event is append-only: update is refused'],
    ['delete from order_event', 'order_event is append-only: delete is refused'],
    ['truncate order_event', 'order_event is append-only: truncate is refused'],
    ['delete from orders', 'orders keeps everything: delete is refused'],
    ['truncate orders', 'orders keeps everything: truncate is refused'],
  ])('stay: %s', async (statement, refusal) => {
    await append(0, new DecidedOrder().accepted);
    await expect(door.database.run((sql) => sql.text(statement))).rejects.toThrow(refusal);
    expect(await door.listEvents()).toHaveLength(1);
  });
});
