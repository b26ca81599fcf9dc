import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Order, SplitOrder } from '../../../src/domain/order.ts';
import type { DecidedEvent, ShardLease } from '../../../src/order/order-log.ts';
import { HaltStore } from '../../../src/store/order/halt-store.ts';
import { LogReader } from '../../../src/store/order/log-reader.ts';
import type { OrderKey, OrderQuery } from '../../../src/store/order/order-reader.ts';
import { OrderReader } from '../../../src/store/order/order-reader.ts';
import { noon } from '../../support/builders.ts';
import { DecidedOrder } from '../../support/decided-order.ts';
import { openPostgresDoor } from './order-log-doors.ts';

describe('stored orders', () => {
  let door: Awaited<ReturnType<typeof openPostgresDoor>>;
  let reader: OrderReader;
  let lease: ShardLease;
  const append = (...events: readonly DecidedEvent[]) =>
    door.log.append({ lease, haltRevision: 1, events });
  const idsOf = (orders: readonly Order[]) => orders.map(({ orderId }) => orderId);
  const account = 'reader';
  /** Two instruments in turn, the state by its place; two at a time accepted in the same moment. */
  const orders = Array.from(
    { length: 12 },
    (_, index) =>
      new DecidedOrder({
        account,
        orderId: `reader-${String(index).padStart(2, '0')}`,
        clientOrderId: `mine-${index}`,
        instrument: `binance:S${index % 2}`,
        time: noon + Math.floor(index / 2),
      }),
  );
  const latestFirst = orders.map(({ orderId }) => orderId).toReversed();

  beforeAll(async () => {
    door = await openPostgresDoor();
    reader = new OrderReader(door.database);
    const [first] = (await door.leasesOf('one').renew()).leases;
    if (first === undefined) throw new Error('Expected a lease');
    lease = first;
    await append(
      new DecidedOrder({ account: 'other', clientOrderId: 'mine-0' }).accepted,
      ...orders.map(({ accepted }) => accepted),
    );
    const events = orders.flatMap((order, index) => {
      if (index % 4 === 1) return [order.cancel()];
      if (index % 4 === 2) return [order.split({ quantity: '1' }), order.split({ quantity: '2' }), order.split({ quantity: '3' })]; // prettier-ignore
      return index % 4 === 3 ? [order.split({ quantity: '10' })] : [];
    });
    await append(...events);
  });
  afterAll(() => door[Symbol.asyncDispose]());

  test('that are open tell their instruments', async () => {
    expect(await reader.openInstruments(account)).toEqual(['binance:S0']);
    expect(await reader.openInstruments('nobody')).toEqual([]);
  });

  test('are found by either id, by their account alone, with their splits', async () => {
    const order = orders[2];
    const found = await reader.get({ account, orderId: 'reader-02' });
    expect(found).toMatchObject({ ...order?.order });
    expect(found?.splits.map(({ version, quantity }) => [version, quantity / 10n ** 18n])).toEqual([
      [2, 1n],
      [3, 2n],
      [4, 3n],
    ]);
    expect(await reader.get({ account, clientOrderId: 'mine-2' })).toEqual(found);
    const last = await reader.get({ account, orderId: 'reader-02' }, 2);
    expect(last?.splits).toEqual(found?.splits.slice(1));
    expect(await reader.get({ account: 'other', orderId: 'reader-02' })).toBeUndefined();
    expect(await reader.get({ account, orderId: 'no' })).toBeUndefined();
    expect((await reader.get({ account: 'other', clientOrderId: 'mine-0' }))?.account).toBe(
      'other',
    );
  });

  test.each<[what: string, query: Partial<OrderQuery>, isWanted: (index: number) => boolean]>([
    ['all', {}, () => true],
    ['of an instrument', { instrument: 'binance:S1' }, (index) => index % 2 === 1],
    ['open', { statuses: ['open'] }, (index) => index % 4 === 0],
    ['open in any way', { statuses: ['open', 'partiallyFilled'] }, (index) => index % 2 === 0],
    ['at their end', { statuses: ['canceled', 'filled'] }, (index) => index % 2 === 1],
    ['expired', { statuses: ['expired'] }, () => false],
    [
      'filled, of an instrument without',
      { statuses: ['filled'], instrument: 'binance:S0' },
      () => false,
    ],
  ])('are listed page by page, the latest first: %s', async (_, query, isWanted) => {
    const expected = latestFirst.filter((_, place) => isWanted(11 - place));
    for (const limit of [1, 5, 100]) {
      const found: string[] = [];
      let after: OrderKey | undefined = undefined;
      for (;;) {
        const page: readonly SplitOrder[] = await reader.list({
          account,
          limit,
          splits: 2,
          after,
          ...query,
        });
        expect(page.every(({ splits }) => splits.length <= 2)).toBe(true);
        found.push(...idsOf(page));
        after = page.at(-1);
        if (page.length < limit || after === undefined) break;
      }
      expect(found).toEqual(expected);
    }
    expect(await reader.list({ account: 'nobody', limit: 10, splits: 2 })).toEqual([]);
  });

  test('are told as they are at a position of the log', async () => {
    const bounds = { maximumOrders: 100 };
    const { position, orders: open } = await reader.snapshot({ account }, bounds);
    expect(idsOf(open)).toEqual(
      orders.flatMap(({ orderId }, index) => (index % 2 === 0 ? orderId : [])),
    );
    const [, split] = await reader.splitsOf(open.slice(0, 2), 2);
    expect(split).toMatchObject({ ...open[1], splits: [{ version: 3 }, { version: 4 }] });
    // What came after the order was read is not told with it.
    const before = open.slice(1, 2).map((order) => ({ ...order, version: 3 }));
    expect(await reader.splitsOf(before, 10)).toMatchObject([
      { splits: [{ version: 2 }, { version: 3 }] },
    ]);
    expect(await new LogReader(door.database).readAfter(position, 10)).toEqual([]);
    expect((await reader.snapshot({}, bounds)).orders).toHaveLength(7);
    const one = await reader.snapshot({ orderId: 'reader-01' }, bounds);
    expect(one).toMatchObject({ position, orders: [{ status: 'canceled' }] });
    expect(await reader.snapshot({ orderId: 'no' }, bounds)).toEqual({ position, orders: [] });
    expect((await reader.snapshot({ account }, { maximumOrders: 6 })).orders).toHaveLength(6);
    await expect(reader.snapshot({ account }, { maximumOrders: 5 })).rejects.toMatchObject({
      reason: 'limit',
      message: 'Expected at most 5 open orders, found more',
    });
  });

  test('what is halted is told with its reason, everything first', async () => {
    const halts = new HaltStore(door.database);
    const bob = { account: 'bob', reason: 'Ünusual', time: expect.any(Number) };
    const all = { account: undefined, reason: '', time: expect.any(Number) };
    expect(await halts.halt('bob', 'Ünusual')).toEqual([bob]);
    // What is halted stays as it is.
    expect(await halts.halt('bob', 'again')).toEqual([bob]);
    const { revision } = await door.log.readHalts();
    expect(await halts.halt(undefined, '')).toEqual([all, bob]);
    expect(await halts.list()).toEqual([all, bob]);
    expect(await halts.resume('alice')).toEqual([all, bob]);
    expect((await door.log.readHalts()).revision).toBe(revision + 1);
    expect(await halts.resume(undefined)).toEqual([bob]);
    expect(await halts.resume('bob')).toEqual([]);
  });
});
