import { parseDecimal } from '../../src/base/decimal.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { BookTicker } from '../../src/domain/book-ticker.ts';
import type { Order, OrderRequest } from '../../src/domain/order.ts';
import type { CrashPoint } from '../../src/order/crash-points.ts';
import { OrderManager } from '../../src/order/order-manager.ts';
import type { OrderManagerOptions } from '../../src/order/order-manager.ts';
import type { StoredOrders } from '../../src/order/shard-desk.ts';
import { aBookTicker, noon } from './builders.ts';
import { TwinClock } from './twin-clock.ts';
import { TwinOrderLog } from './twin-order-log.ts';
import { TwinOrderMarket } from './twin-order-market.ts';

export const instrument = 'binance:BTCUSDT';

type Level = readonly [price: string, quantity: string];

/** What is the same for all servers: the time, the database, the market. */
export class TwinWorld {
  readonly clock = new TwinClock(noon);
  readonly log = new TwinOrderLog(this.clock);
  readonly market = new TwinOrderMarket();
  readonly desks: TwinDesk[] = [];
  #updateId = 0;

  /** Opens a server's desk, and waits until it has its shards. */
  async openDesk(options: TwinDeskOptions = {}): Promise<TwinDesk> {
    const desk = new TwinDesk(this, `server-${this.desks.length + 1}`, options);
    this.desks.push(desk);
    await this.settle();
    return desk;
  }

  nextUpdateId(): number {
    return ++this.#updateId;
  }

  /** Shows the next book ticker to all. */
  ticker(book: { bid?: Level; ask?: Level; instrument?: string }): BookTicker {
    const { bid = ['1', '1'], ask = ['1000000', '1'], instrument: name = instrument } = book;
    const updateId = this.nextUpdateId();
    const receivedTime = this.clock.now();
    const ticker = aBookTicker({ instrument: name, bid, ask, updateId, receivedTime });
    this.market.show(ticker);
    for (const { manager } of this.desks) manager.handleTicker(ticker);
    return ticker;
  }

  /** Lets everything happen that needs no time. */
  async settle(turns = 20): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  async pass(durationMs: number): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += 250) {
      this.clock.moveTo(this.clock.now() + Math.min(250, durationMs - passed) * 1000);
      await this.settle();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.desks.map((desk) => desk[Symbol.asyncDispose]()));
  }
}

type TwinDeskOptions = Partial<OrderManagerOptions['limits']> & {
  readonly onReach?: (point: CrashPoint) => void;
  /** The server's clock, where it is not the database's. */
  readonly clock?: TwinClock;
  /** Another one, to be tried. */
  readonly Manager?: typeof OrderManager;
};

/** One server's order manager over the twins. */
export class TwinDesk implements AsyncDisposable {
  readonly manager: OrderManager;
  readonly name: string;
  /** Nothing reaches the database any more, and nothing comes from there. */
  isCutOff = false;
  /** Only the leases do not. */
  isWithoutLeases = false;

  constructor(
    { log, market, clock: databaseClock }: TwinWorld,
    name: string,
    options: TwinDeskOptions,
  ) {
    this.name = name;
    const {
      onReach = () => {},
      clock = databaseClock,
      Manager = OrderManager,
      ...limits
    } = options;
    const through = async <T>(work: () => Promise<T>): Promise<T> => {
      if (this.isCutOff) await forever();
      const result = await work();
      if (this.isCutOff) await forever();
      return result;
    };
    this.manager = new Manager({
      log: {
        append: (batch) => through(() => log.append(batch)),
        load: (lease) => through(() => log.load(lease)),
        readHalts: () => through(() => log.readHalts()),
      },
      orders: { get: (wanted) => through(() => storedOrder(log, wanted)) },
      market,
      limits: {
        maximumNotional: parseDecimal('1000000'),
        priceCollarPercent: undefined,
        maximumOpenOrders: 100,
        maximumPendingOrders: 1_000,
        ...limits,
      },
      clock,
      logger: silentLogger,
      random: () => 0,
      reach: onReach,
    });
    const leases = log.leasesOf(name, `http://${name}`, clock);
    const lasting = <T>(work: () => Promise<T>) =>
      this.isWithoutLeases ? Promise.reject(new Error('No answer')) : through(work);
    this.manager.start({
      renew: () => lasting(() => leases.renew()),
      release: (shards) => lasting(() => leases.release(shards)),
      listOwners: () => lasting(() => leases.listOwners()),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isCutOff) await this.manager[Symbol.asyncDispose]();
  }
}

async function storedOrder(
  log: TwinOrderLog,
  wanted: Parameters<StoredOrders['get']>[0],
): Promise<Order | undefined> {
  // As long as any other question.
  await log.readHalts();
  return [...log.orders.values()].find((order) => {
    if (order.account !== wanted.account) return false;
    if ('orderId' in wanted) return order.orderId === wanted.orderId;
    return order.clientOrderId === wanted.clientOrderId;
  });
}

function forever(): Promise<never> {
  return new Promise(() => {});
}

type RequestParts = Partial<Omit<OrderRequest, 'quantity' | 'limitPrice'>> & {
  readonly quantity?: string;
  readonly limitPrice?: string;
};

/** Sell 1 at 100 until it is canceled. */
export function aRequest(parts: RequestParts = {}): OrderRequest {
  const { quantity = '1', limitPrice = '100', ...rest } = parts;
  return {
    account: 'default',
    instrument,
    side: 'sell',
    quantity: parseDecimal(quantity),
    limitPrice: parseDecimal(limitPrice),
    timeInForce: 'GTC',
    expireTime: undefined,
    clientOrderId: undefined,
    ...rest,
  };
}
