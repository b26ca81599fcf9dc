import { describe, expect, test } from 'vitest';
import { OrderSide, OrderStatus, TimeInForce } from '../../gen/tradewind/order/v1/order_pb.ts';
import type { Order } from '../../gen/tradewind/order/v1/order_pb.ts';
import { crashPoints } from '../../src/order/crash-points.ts';
import type { OrderClient } from '../../src/rpc/client.ts';
import { eventually } from '../support/eventually.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { OrderMarketplace, OrderServer, insist } from './order-servers.ts';
import { expectSoundLog } from './order-log-checks.ts';

/** A client that knows one server at a time: when that has died it starts another one. */
class Survivor implements AsyncDisposable {
  readonly deaths: string[] = [];
  readonly #marketplace: OrderMarketplace;
  #server: OrderServer | undefined;

  constructor(marketplace: OrderMarketplace) {
    this.#marketplace = marketplace;
  }

  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const server = await this.#marketplace.startServer(environment);
    if (server instanceof OrderServer) this.#server = server;
    else this.deaths.push(server);
  }

  async stop(): Promise<void> {
    await this.#server?.kill('SIGTERM');
    this.#look();
  }

  ask<Answer>(ask: (orders: OrderClient) => Promise<Answer>): Promise<Answer> {
    return insist(async () => {
      this.#look();
      if (this.#server === undefined) await this.start();
      if (this.#server === undefined) throw new Error('No server');
      return this.#server.client.orders;
    }, ask);
  }

  /** Waits a second for the server of the moment to get the book ticker of this update id. */
  async see(symbol: string, updateId: number): Promise<void> {
    const request = { instruments: [symbol] };
    const stream = this.#server?.client.market.streamBookTickers(request, { timeoutMs: 1_000 });
    for await (const { event } of stream ?? []) {
      if (event.case === 'bookTicker' && event.value.updateId >= BigInt(updateId)) return;
    }
    throw new Error('The stream has ended');
  }

  async order(clientOrderId: string): Promise<Order> {
    const { order } = await this.ask((orders) =>
      orders.getOrder({ order: { case: 'clientOrderId', value: clientOrderId } }),
    );
    if (order === undefined) throw new Error('Expected an order');
    return order;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  #look(): void {
    if (this.#server?.end === undefined) return;
    this.deaths.push(this.#server.end);
    this.#server = undefined;
  }
}

const { FILLED, PARTIALLY_FILLED, CANCELED, EXPIRED } = OrderStatus;
const instrument = 'BNBUSDT';
const sell = { side: OrderSide.SELL, timeInForce: TimeInForce.GTC };

describe.concurrent('a server that dies', () => {
  test.each(crashPoints)('at %s loses nothing and does nothing twice', async (point) => {
    await using database = await openTestDatabase();
    await using marketplace = await OrderMarketplace.open(database.url, [instrument]);
    await using survivor = new Survivor(marketplace);
    await survivor.start({ CRASH_AT: point });

    const submit = (clientOrderId: string, quantity: string, limitPrice: string) =>
      survivor.ask((orders) =>
        orders.submitLimitOrder({ ...sell, instrument, clientOrderId, quantity, limitPrice }),
      );
    const show = () => marketplace.show(instrument, [100, 5], [101, 5]);
    /** Shows the same book until it is so: what was used of it stays used. */
    const until = (isSo: () => Promise<boolean>) =>
      eventually(async () => {
        await show();
        return await isSo();
      }, 60_000);

    const first = await submit('first', '3', '100');
    await until(async () => (await survivor.order('first')).status === FILLED);
    const far = await submit('far', '1', '200');
    const short = {
      side: OrderSide.SELL,
      timeInForce: TimeInForce.GTD,
      expiry: { case: 'timeout', value: { seconds: 1n } },
    } as const;
    const wish = { instrument, clientOrderId: 'short', quantity: '1', limitPrice: '200' };
    await survivor.ask((orders) => orders.submitLimitOrder({ ...short, ...wish }));
    await submit('second', '4', '100');
    await until(async () => (await survivor.order('second')).filledQuantity === '2');
    const canceled = await survivor.ask((orders) =>
      orders.cancelOrder({ order: { case: 'clientOrderId', value: 'far' } }),
    );
    expect(canceled.order?.status).toBe(CANCELED);
    await until(async () => (await survivor.order('short')).status === EXPIRED);

    // Once more from the beginning: what was answered is still so, and no more has come of it.
    expect((await submit('first', '3', '100')).order?.orderId).toBe(first.order?.orderId);
    expect((await submit('far', '1', '200')).order?.orderId).toBe(far.order?.orderId);
    for (let times = 0; times < 3; times++) {
      // It may just have started, and not be connected yet.
      await eventually(async () => survivor.see(instrument, await show()), 60_000);
    }
    expect((await survivor.order('first')).status).toBe(FILLED);
    const second = await survivor.order('second');
    expect([second.status, second.filledQuantity]).toEqual([PARTIALLY_FILLED, '2']);
    const expired = await survivor.order('short');
    expect(expired.updatedTime).toEqual(expired.expireTime);
    const { orders } = await survivor.ask((client) => client.listOrders({}));
    expect(orders.map(({ clientOrderId }) => clientOrderId).toSorted()).toEqual([
      'far',
      'first',
      'second',
      'short',
    ]);
    await survivor.stop();
    expect(survivor.deaths.toSorted()).toEqual(
      ['0', 'SIGKILL'].slice(point === 'leases.releasing' ? 1 : 0),
    );
    await expectSoundLog(database);
  });
});
