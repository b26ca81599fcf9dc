import { setImmediate as nextTurn } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  CancelAllOrdersRequestSchema,
  CancelAllOrdersResponseSchema,
} from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { SplitOrder } from '../../../src/domain/order.ts';
import { Refusal } from '../../../src/domain/refusal.ts';
import type { ShardOwner } from '../../../src/order/order-desk.ts';
import { cancelAllOrders } from '../../../src/rpc/order/cancel-all-orders.ts';
import type { CancelAllParts } from '../../../src/rpc/order/cancel-all-orders.ts';
import { InstrumentDirectory } from '../../../src/rpc/instrument-directory.ts';
import { noon } from '../../support/builders.ts';
import { anOrder } from '../../support/order-builders.ts';

const [ours, theirs] = ['binance:BNBUSDT', 'binance:ETHBTC'];
const other: ShardOwner = { type: 'elsewhere', url: 'http://other' };

/** Two servers on one database: the one that is asked, and another one; each cancels what is its own. */
class Servers {
  /** Who is in charge, as the server that is asked sees it. */
  readonly owners = new Map<string, ShardOwner>([
    [ours, { type: 'here' }],
    [theirs, other],
  ]);
  readonly asked: string[] = [];
  /** The one that is asked cancels first, or else the other one; between the two this happens. */
  isHereFirst = true;
  between = () => {};
  #open: readonly SplitOrder[] = [];

  place(orderId: string, instrument: string, acceptedTime = noon): void {
    const order = anOrder({ orderId, instrument, acceptedTime });
    this.#open = [...this.#open, { ...order, splits: [] }];
  }

  get open(): readonly string[] {
    return this.#open.map(({ orderId }) => orderId);
  }

  async cancelAll(instrument = '', header = {}): Promise<readonly [string[], number]> {
    const { orders, canceledCount } = await cancelAllOrders(
      this.#parts(),
      create(CancelAllOrdersRequestSchema, { instrument }),
      {
        requestHeader: new Headers(header),
        signal: new AbortController().signal,
        timeoutMs: () => undefined,
      },
    );
    return [orders.map(({ orderId }) => orderId), canceledCount];
  }

  #parts(): CancelAllParts {
    return {
      desk: {
        ownerOf: (instrument) => this.owners.get(instrument) ?? { type: 'nobody' },
        cancelAll: async () => {
          this.asked.push('here');
          return await this.#turn('here', this.isHereFirst);
        },
      },
      forwarding: {
        ask: async <Answer>(owner: ShardOwner) => {
          this.asked.push(owner.type);
          if (owner.type === 'nobody') throw new Refusal('unavailable', 'Nobody is in charge');
          const canceled = await this.#turn('elsewhere', !this.isHereFirst);
          const orders = canceled.map(({ orderId }) => ({ orderId }));
          const canceledCount = orders.length;
          return create(CancelAllOrdersResponseSchema, { orders, canceledCount }) as Answer;
        },
      },
      orders: {
        openInstruments: async () => this.#open.map(({ instrument }) => instrument),
        list: async ({ instrument, after, limit }) =>
          this.#open
            .filter((order) => order.instrument === (instrument ?? order.instrument))
            .filter(({ acceptedTime }) => after === undefined || acceptedTime < after.acceptedTime)
            .toSorted((a, b) => b.acceptedTime - a.acceptedTime)
            .slice(0, limit),
      },
      directory: new InstrumentDirectory([ours, theirs], 'binance'),
    };
  }

  async #turn(type: ShardOwner['type'], isFirst: boolean): Promise<readonly SplitOrder[]> {
    if (!isFirst) {
      await nextTurn();
      this.between();
    }
    return this.#cancel(type);
  }

  #cancel(type: ShardOwner['type']): readonly SplitOrder[] {
    const isItsOwn = ({ instrument }: SplitOrder) => this.owners.get(instrument)?.type === type;
    const canceled = this.#open.filter(isItsOwn);
    this.#open = this.#open.filter((order) => !isItsOwn(order));
    return canceled;
  }
}

test('orders are canceled on all servers', async () => {
  const servers = new Servers();
  servers.place('a', ours);
  servers.place('b', theirs);
  expect([await servers.cancelAll(), servers.open]).toEqual([[['a', 'b'], 2], []]);
});

test('of one instrument, only the server in charge is asked', async () => {
  const servers = new Servers();
  servers.place('a', ours);
  servers.place('b', theirs);
  expect(await servers.cancelAll(theirs)).toEqual([['b'], 1]);
  expect(await servers.cancelAll(ours)).toEqual([['a'], 1]);
  expect(servers.asked).toEqual(['elsewhere', 'here']);
});

test('what another server has sent on is not sent on again', async () => {
  const servers = new Servers();
  servers.place('a', ours);
  servers.place('b', theirs);
  const answer = await servers.cancelAll('', { 'tradewind-forwarded': '1' });
  expect([answer, servers.open]).toEqual([[['a'], 1], ['b']]);
});

test.each([
  ['from a server that is not asked yet', theirs, { isHereFirst: true }],
  ['to a server that is asked already', ours, { isHereFirst: false }],
])('orders that went %s are not answered as canceled', async (_what, instrument, order) => {
  const servers = Object.assign(new Servers(), order);
  servers.place('a', ours);
  servers.place('b', theirs);
  const owner: ShardOwner = instrument === theirs ? { type: 'here' } : other;
  servers.between = () => servers.owners.set(instrument, owner);
  await expect(servers.cancelAll()).rejects.toMatchObject({
    reason: 'unavailable',
    message: expect.stringMatching(/^Some orders are still open/u),
  });
  expect(servers.open).toHaveLength(1);
  // As the contract says, it is repeated.
  expect([(await servers.cancelAll())[1], servers.open]).toEqual([1, []]);
});

test('what nobody is in charge of keeps nobody from canceling the rest', async () => {
  const servers = new Servers();
  servers.owners.delete(theirs);
  servers.place('a', ours);
  servers.place('b', theirs);
  await expect(servers.cancelAll()).rejects.toMatchObject({ message: 'Nobody is in charge' });
  expect(servers.open).toEqual(['b']);
});

test('an order that is placed meanwhile is none of it', async () => {
  const servers = new Servers();
  servers.place('a', ours);
  servers.place('b', theirs);
  servers.between = () => servers.place('c', ours, noon + 1);
  expect(await servers.cancelAll()).toEqual([['a', 'b'], 2]);
  expect(servers.open).toEqual(['c']);
});
