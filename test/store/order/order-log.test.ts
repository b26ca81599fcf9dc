import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DecidedEvent, ShardLease } from '../../../src/order/order-log.ts';
import { noon } from '../../support/builders.ts';
import { DecidedOrder } from '../../support/decided-order.ts';
import { openPostgresDoor, openTwinDoor } from './order-log-doors.ts';
import type { OrderLogDoor } from './order-log-doors.ts';

/** 1 as a Decimal. */
const one = 10n ** 18n;

// One contract, held by the log in Postgres and by its twin, which stands in for it elsewhere.
describe.each([
  ['in Postgres', openPostgresDoor],
  ['of the twin', openTwinDoor],
])('the order log %s', (_, open) => {
  let door: OrderLogDoor;
  let leases: readonly ShardLease[];
  let haltRevision: number;
  let shards = 0;
  let names = 0;
  /** Each test has a shard, an instrument and an account of its own. */
  const aShard = () => {
    const lease = leases[shards++ % leases.length];
    if (lease === undefined) throw new Error('Expected a lease');
    return lease;
  };
  const own = () => ({ instrument: `binance:S${++names}`, account: `account-${names}` });
  const append = (lease: ShardLease, ...events: readonly DecidedEvent[]) =>
    door.log.append({ lease, haltRevision, events });
  const load = async (lease: ShardLease) => {
    const contents = await door.log.load(lease);
    if (contents === undefined) throw new Error('Expected to have the shard');
    leases = leases.map((other) => (other.shard === lease.shard ? contents.lease : other));
    return contents;
  };
  const committed = { type: 'committed', duplicates: new Map() };

  beforeAll(async () => {
    door = await open();
    const round = await door.leasesOf('first').renew();
    leases = round.leases;
    haltRevision = round.haltRevision;
  });
  afterAll(() => door[Symbol.asyncDispose]());

  test('gives back what was appended, to the last digit, in its order', async () => {
    const lease = aShard();
    const sizes = { quantity: '999999999999999.999999999999999999' };
    const sell = new DecidedOrder({
      ...own(),
      ...sizes,
      limitPrice: '0.000000000000000001',
      clientOrderId: 'a"b\\c,{d}\'NULL',
      expireTime: noon + 3_600_000_001,
      time: noon + 1,
    });
    const buy = new DecidedOrder({ ...own(), ...sizes, side: 'buy', limitPrice: '0.5' });
    const ioc = new DecidedOrder({ ...own(), timeInForce: 'IOC', clientOrderId: 'NULL' });
    const orders = [sell, buy, ioc];
    expect(await append(lease, ...orders.map(({ accepted }) => accepted))).toEqual(committed);
    const level = { displayed: '999999999999999.999999999999999999' };
    const decided = [
      sell.split({ quantity: '0.000000000000000001', price: '0.100000000000000001', ...level }),
      buy.split({ quantity: '1', price: '0.3', updateId: 9_007_199_254_740_991, ...level }),
      ioc.cancel('notFilledAtOnce'),
      sell.split({
        quantity: '5',
        updateId: 0,
        consumedAfter: '5.000000000000000001',
        time: noon + 2,
      }),
      sell.expire(),
    ];
    expect(await append(lease, ...decided)).toEqual(committed);

    const ids = new Set(orders.map(({ orderId }) => orderId));
    const events = (await door.listEvents()).filter(({ event }) => ids.has(event.orderId));
    expect(events).toEqual([...orders.map(({ accepted }) => accepted), ...decided]);
    for (const { order } of orders) expect(await door.getOrder(order)).toEqual(order);
  });

  test('an owner goes on with what is open, what is used and what is halted', async () => {
    const lease = aShard();
    const { instrument, account } = own();
    const buys = { instrument, account, side: 'buy' } as const;
    const [waiting, half, done, bought] = [{}, {}, {}, buys].map(
      (parts) => new DecidedOrder({ instrument, account, quantity: '2', ...parts }),
    ) as [DecidedOrder, DecidedOrder, DecidedOrder, DecidedOrder];
    const orders = [half, done, waiting, bought];
    await append(lease, ...orders.map(({ accepted }) => accepted));
    await append(
      lease,
      half.split({ quantity: '1', updateId: 7, displayed: '3', consumedAfter: '1' }),
      done.split({ quantity: '2', updateId: 7, displayed: '3', consumedAfter: '3' }),
      bought.split({ quantity: '1', updateId: 8, price: '99', displayed: '4', consumedAfter: '1' }),
    );
    const contents = await load(lease);
    // In the order of their acceptance.
    expect(contents.orders.filter((order) => order.account === account)).toEqual(
      [half, waiting, bought].map(({ order }) => order),
    );
    const level = {
      instrument,
      price: 100n * one,
      displayedQuantity: 3n * one,
      consumed: 3n * one,
    };
    const used = contents.consumed.filter((level) => level.instrument === instrument);
    expect(used).toHaveLength(2);
    expect(used).toContainEqual({ ...level, side: 'sell', updateId: 7 });
    expect(used).toContainEqual({
      ...level,
      side: 'buy',
      updateId: 8,
      price: 99n * one,
      displayedQuantity: 4n * one,
      consumed: one,
    });
    expect(contents.halts).toEqual({
      revision: haltRevision,
      everything: undefined,
      accounts: new Map(),
    });
  });

  test('a fill is an execution, at the time of its ticker', async () => {
    const lease = aShard();
    const sell = new DecidedOrder({ ...own(), quantity: '2' });
    const buy = new DecidedOrder({ ...own(), side: 'buy' });
    await append(lease, sell.accepted, buy.accepted);
    await append(
      lease,
      sell.split({ quantity: '0.5', price: '101', time: noon + 3 }),
      buy.split({ quantity: '3', price: '99.5', time: noon + 4 }),
      sell.split({ quantity: '1.5', consumedAfter: '2', time: noon + 5 }),
    );
    const ids = [sell.orderId, buy.orderId];
    const found = (await door.listExecutions()).filter(({ sourceId }) =>
      ids.includes(sourceId.split(':')[0] ?? ''),
    );
    const execution = (order: DecidedOrder, version: number, rest: object) => ({
      account: order.order.account,
      instrument: order.order.instrument,
      source: 'order',
      sourceId: `${order.orderId}:000000000${version}`,
      fee: 0n,
      ...rest,
    });
    const expected = [
      execution(sell, 2, { quantity: -one / 2n, price: 101n * one, executedTime: noon + 3 }),
      execution(buy, 2, { quantity: 3n * one, price: (199n * one) / 2n, executedTime: noon + 4 }),
      execution(sell, 3, { quantity: (-3n * one) / 2n, price: 100n * one, executedTime: noon + 5 }),
    ];
    expect(found).toHaveLength(expected.length);
    expect(found).toEqual(expect.arrayContaining(expected));
  });

  describe('a client order id', () => {
    test('that is taken leaves the order out, and answers the one that has it', async () => {
      const { instrument, account } = own();
      const parts = { instrument, account, clientOrderId: 'mine' };
      const [stored, again, other] = [{}, {}, { clientOrderId: 'other' }].map(
        (rest) => new DecidedOrder({ ...parts, ...rest }),
      ) as [DecidedOrder, DecidedOrder, DecidedOrder];
      const lease = aShard();
      await append(lease, stored.accepted);
      await append(lease, stored.split({ quantity: '1' }));
      // Also in another shard, as the account may ask for another instrument.
      for (const lease of [aShard(), aShard()]) {
        const another = new DecidedOrder({ ...parts, clientOrderId: `new ${lease.shard}` });
        expect(await append(lease, again.accepted, another.accepted)).toEqual({
          type: 'committed',
          duplicates: new Map([[again.orderId, stored.order]]),
        });
        expect(await door.getOrder(another.order)).toEqual(another.order);
      }
      expect(await append(lease, other.accepted)).toEqual(committed);
      expect(await door.getOrder(again.order)).toBeUndefined();
      const ids = (await door.listEvents()).map(({ event }) => event.orderId);
      expect(ids).not.toContain(again.orderId);
    });

    test('that comes twice in one append is the first one’s', async () => {
      const parts = { ...own(), clientOrderId: 'twice' };
      const [one, two] = [new DecidedOrder(parts), new DecidedOrder(parts)];
      expect(await append(aShard(), one.accepted, two.accepted)).toEqual({
        type: 'committed',
        duplicates: new Map([[two.orderId, one.order]]),
      });
    });

    test('is another one in another account', async () => {
      const orders = [own(), own()].map(
        (parts) => new DecidedOrder({ ...parts, clientOrderId: '1' }),
      );
      expect(await append(aShard(), ...orders.map(({ accepted }) => accepted))).toEqual(committed);
    });
  });

  describe('appended twice, as after an answer that was lost,', () => {
    const cases: [what: string, make: (order: DecidedOrder) => DecidedEvent[]][] = [
      ['a fill', (order) => [order.split({ quantity: '1' })]],
      ['a cancellation', (order) => [order.cancel()]],
      ['an expiry', (order) => [order.expire()]],
      ['several', (order) => [order.split({ quantity: '1' }), order.cancel()]],
      ['an acceptance', () => [new DecidedOrder(own()).accepted]],
      ['an acceptance by its client', () => [new DecidedOrder({ ...own(), clientOrderId: 'c' }).accepted]],
      ['an acceptance and a fill', (order) => [new DecidedOrder({ ...own(), clientOrderId: 'd' }).accepted, order.split({ quantity: '1' })]],
    ]; // prettier-ignore
    test.each(cases)('%s changes nothing the second time', async (_, make) => {
      const lease = aShard();
      const order = new DecidedOrder({ ...own(), expireTime: noon + 10_000_000 });
      await append(lease, order.accepted);
      const batch = make(order);
      expect(await append(lease, ...batch)).toEqual(committed);
      const before = [await door.listEvents(), await door.listExecutions()];
      const fresh = new DecidedOrder(own());
      for (const events of [batch, [fresh.accepted, ...batch]]) {
        expect(await append(lease, ...events)).toEqual({ type: 'refused', reason: 'outOfStep' });
      }
      expect([await door.listEvents(), await door.listExecutions()]).toEqual(before);
      expect(await door.getOrder(order.order)).toEqual(order.order);
    });
  });

  test.each<[what: string, make: (order: DecidedOrder) => DecidedEvent[]]>([
    ['after one that is missing', (order) => (order.split({ quantity: '1' }), [order.cancel()])],
    ['of an order that is not stored', () => [new DecidedOrder(own()).split({ quantity: '1' })]],
  ])('an event %s refuses all that comes with it', async (_, make) => {
    const lease = aShard();
    const order = new DecidedOrder(own());
    const other = new DecidedOrder(own());
    await append(lease, order.accepted, other.accepted);
    const fresh = new DecidedOrder({ ...own(), clientOrderId: 'fresh' });
    const events = [fresh.accepted, other.split({ quantity: '1' }), ...make(order)];
    expect(await append(lease, ...events)).toEqual({ type: 'refused', reason: 'outOfStep' });
    expect(await door.getOrder(fresh.order)).toBeUndefined();
    expect(await door.getOrder(other.order)).toEqual(other.accepted.order);
    expect(await door.getOrder(order.order)).toEqual(order.accepted.order);
  });

  test('shards that append at once share nothing of each other’s refusals', async () => {
    const [stale, wrong, ...sound] = [aShard(), aShard(), aShard(), aShard(), aShard()];
    if (stale === undefined || wrong === undefined) throw new Error('Expected leases');
    await load(stale);
    const orders = sound.map(() => new DecidedOrder({ ...own(), clientOrderId: 'mine' }));
    const outcomes = await Promise.all([
      append(stale, new DecidedOrder(own()).accepted),
      append(wrong, new DecidedOrder(own()).split({ quantity: '1' })),
      ...sound.map((lease, index) =>
        append(lease, ...orders.slice(index, index + 1).map(({ accepted }) => accepted)),
      ),
    ]);
    expect(outcomes).toEqual([
      { type: 'refused', reason: 'leaseLost' },
      { type: 'refused', reason: 'outOfStep' },
      ...sound.map(() => committed),
    ]);
    for (const { order } of orders) expect(await door.getOrder(order)).toEqual(order);
  });
});
