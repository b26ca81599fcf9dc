import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { OrderSide, OrderStatus, TimeInForce } from '../../gen/tradewind/order/v1/order_pb.ts';
import type { OrderClient } from '../../src/rpc/client.ts';
import { LogReader } from '../../src/store/order/log-reader.ts';
import type { Database } from '../../src/store/database.ts';
import { loggedOrder } from '../property/logged-order.ts';
import { problemsOf } from '../property/orders-model.ts';
import type { Asked, Logged, Shown } from '../property/orders-model.ts';
import { eventually } from '../support/eventually.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { randomOf } from '../support/random-of.ts';
import { expectSoundLog } from './order-log-checks.ts';
import { OrderMarketplace, OrderServer, insist } from './order-servers.ts';

const kills = Number(process.env['KILLS'] ?? 12);
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
/** Of shards of both halves: 15, 10, 3 and 1. */
const symbols = ['BNBUSDT', 'BTCUSDT', 'PEPEUSDT', 'ETHBTC'];
const traders = ['ann', 'bob', 'cat', 'dan', 'eve', 'fox'];

const timesInForce = {
  GTC: TimeInForce.GTC,
  GTD: TimeInForce.GTD,
  IOC: TimeInForce.IOC,
  FOK: TimeInForce.FOK,
} as const;

test('whichever of two servers is killed or frozen, and when, no order is lost and no level used twice', async () => {
  console.log(`order kills: ${kills}, SEED=${seed}`);
  await using database = await openTestDatabase();
  await using marketplace = await OrderMarketplace.open(database.url, symbols);
  await using floor = new Floor(marketplace);
  await Promise.all([floor.start(0), floor.start(1)]);
  const busy = Promise.all([floor.market(), ...traders.map((name) => floor.trade(name))]);
  const random = randomOf(seed);
  for (let count = 0; count < kills; count++) {
    await pause(300 + random() * 3_000);
    const place = Math.floor(random() * 2);
    if (count % 5 === 4) await floor.freeze(place, 1_000 + random() * 7_000);
    else await floor.kill(place);
  }
  floor.over.abort();
  await busy;

  const { asked, shown, canceled } = floor;
  expect(asked.length, 'trading went on').toBeGreaterThan(kills);
  // Only when all is settled is the whole history gone through: the longer it is, the longer the simulated
  // market, which is of this process, stands still meanwhile.
  await eventually(async () => {
    for (const symbol of symbols) await floor.show(symbol, [100, 9], [101, 9]);
    const before = await openOrders(database);
    await pause(2_000);
    const after = await openOrders(database);
    expect(after).toEqual(before);
    expect(after.filter(({ time_in_force: time }) => time === 'IOC' || time === 'FOK')).toEqual([]);
  }, 60_000);
  const log = await readLog(database);
  expect(problemsOf({ shown, asked, canceled, log, lost: [], end: 0 })).toEqual([]);
  await expectSoundLog(database);
}, 1_800_000);

/** Two servers on one database, a market that moves, and clients that repeat what is not answered. */
class Floor implements AsyncDisposable {
  readonly over = new AbortController();
  readonly asked: Asked[] = [];
  readonly shown: Shown[] = [];
  readonly canceled: string[] = [];
  readonly #marketplace: OrderMarketplace;
  readonly #random = randomOf(seed + 1);
  readonly #servers: (OrderServer | undefined)[] = [];

  constructor(marketplace: OrderMarketplace) {
    this.#marketplace = marketplace;
  }

  async start(place: number): Promise<void> {
    const server = await this.#marketplace.startServer();
    if (!(server instanceof OrderServer)) throw new Error(`It ended before it served: ${server}`);
    this.#servers[place] = server;
  }

  async kill(place: number): Promise<void> {
    const victim = this.#servers[place];
    this.#servers[place] = undefined;
    await victim?.[Symbol.asyncDispose]();
    await this.start(place);
  }

  async freeze(place: number, durationMs: number): Promise<void> {
    await this.#servers[place]?.freeze(durationMs);
  }

  async market(): Promise<void> {
    while (!this.over.signal.aborted) {
      const bid = 98 + this.#pick(4);
      const symbol = symbols[this.#pick(symbols.length)] ?? '';
      await this.show(symbol, [bid, 1 + this.#pick(3)], [bid + 1, 1 + this.#pick(3)]);
      await pause(this.#random() * 30);
    }
  }

  async show(symbol: string, bid: Shown['levels']['sell'], ask: Shown['levels']['buy']) {
    const updateId = await this.#marketplace.show(symbol, bid, ask);
    const levels = { sell: bid, buy: ask };
    const instrument = `sim-binance:${symbol}`;
    this.shown.push({ step: 0, time: undefined, instrument, updateId, levels });
  }

  /** One order after the other; some are canceled. */
  async trade(account: string): Promise<void> {
    for (let count = 0; !this.over.signal.aborted; count++) {
      const symbol = symbols[this.#pick(symbols.length)] ?? '';
      const asked: Asked = {
        step: 0,
        account,
        instrument: `sim-binance:${symbol}`,
        side: this.#random() < 0.5 ? 'sell' : 'buy',
        quantity: 1 + this.#pick(5),
        limit: 98 + this.#pick(5),
        timeInForce: (['GTC', 'GTC', 'IOC', 'FOK', 'GTD'] as const)[this.#pick(5)] ?? 'GTC',
        timeout: undefined,
        clientOrderId: `${account}-${count}`,
        answer: undefined,
      };
      this.asked.push(asked);
      const orderId = await this.#ask((orders) => submit(orders, asked));
      asked.answer = { orderId, isAlreadyAccepted: false };
      if (this.#random() < 0.2 && (await this.#ask((orders) => cancel(orders, account, orderId)))) {
        this.canceled.push(orderId);
      }
      await pause(this.#random() * 60);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.over.abort();
    for (const server of this.#servers) await server?.[Symbol.asyncDispose]();
  }

  /** Each attempt goes to one of the servers: what is not its own it hands on. */
  #ask<Answer>(ask: (orders: OrderClient) => Promise<Answer>): Promise<Answer> {
    return insist(() => {
      const server = this.#servers[this.#pick(2)];
      return server === undefined
        ? Promise.reject(new Error('It is being started'))
        : Promise.resolve(server.client.orders);
    }, ask);
  }

  #pick(count: number): number {
    return Math.floor(this.#random() * count);
  }
}

async function submit(orders: OrderClient, asked: Asked): Promise<string> {
  const { account, instrument, clientOrderId = '', timeInForce } = asked;
  const expiry = { case: 'timeout', value: { seconds: 2n } } as const;
  const { order } = await orders.submitLimitOrder(
    {
      account,
      instrument,
      clientOrderId,
      side: asked.side === 'sell' ? OrderSide.SELL : OrderSide.BUY,
      quantity: String(asked.quantity),
      limitPrice: String(asked.limit),
      timeInForce: timesInForce[timeInForce],
      ...(timeInForce === 'GTD' && { expiry }),
    },
    { timeoutMs: 5_000 },
  );
  if (order === undefined) throw new Error('Expected an order');
  return order.orderId;
}

/** @returns whether it is canceled; otherwise it was too late */
async function cancel(orders: OrderClient, account: string, orderId: string): Promise<boolean> {
  const named = { account, order: { case: 'orderId', value: orderId } } as const;
  try {
    const { order } = await orders.cancelOrder(named, { timeoutMs: 5_000 });
    return order?.status === OrderStatus.CANCELED;
  } catch (error) {
    const { order } = await orders.getOrder(named, { timeoutMs: 5_000 });
    const isOver = order?.status === OrderStatus.FILLED || order?.status === OrderStatus.EXPIRED;
    if (isOver) return false;
    throw error;
  }
}

type OpenOrder = {
  readonly order_id: string;
  readonly instrument: string;
  readonly time_in_force: string;
  readonly version: number;
};

/** What has not come to its end, with how far it has come. */
function openOrders(database: Database): Promise<readonly OpenOrder[]> {
  return database.run(
    (sql) => sql<OpenOrder>`
      select order_id, instrument, time_in_force, version from orders
      where status in ('open', 'partiallyFilled') order by order_id`,
  );
}

async function readLog(database: Database): Promise<readonly Logged[]> {
  const entries = await new LogReader(database).readAfter(0, 1_000_000);
  return entries.flatMap((entry) =>
    entry.type === 'order' ? [loggedOrder(entry.event, 10n ** 18n)] : [],
  );
}
