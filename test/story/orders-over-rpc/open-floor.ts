import { createClient } from '@connectrpc/connect';
import type { Client, Transport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { MarketService } from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import type { Order } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { OrderSide, TimeInForce } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { OrderService } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { SubmitLimitOrderRequest } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { readStream } from '../../../src/rpc/client/read-stream.ts';
import { readServerConfig } from '../../../src/server/config.ts';
import { startServer } from '../../../src/server/start-server.ts';
import type { RunningServer } from '../../../src/server/start-server.ts';
import { readSimulatorConfig } from '../../../src/simulator/config.ts';
import { startSimulator } from '../../../src/simulator/start-simulator.ts';
import type { RunningSimulator } from '../../../src/simulator/start-simulator.ts';
import { openDatabase } from '../../../src/store/database.ts';
import type { Database } from '../../../src/store/database.ts';
import { eventually } from '../../support/eventually.ts';
import { createTestDatabase } from '../../support/postgres.ts';

const surroundings = { clock: systemClock, logger: silentLogger };

const symbols = ['BNBUSDT', 'ETHBTC', 'LTCBTC'];

/** The best bid and ask as the exchange writes them: price and quantity of the bid, then of the ask. */
export type Quote = readonly [bid: string, bidQuantity: string, ask: string, askQuantity: string];

type Wish = Partial<Omit<SubmitLimitOrderRequest, '$typeName' | 'expiry'>> & {
  readonly expiry?: { readonly case: 'timeout'; readonly value: { readonly seconds: bigint } };
};

export type FloorOptions = {
  /** Of the server. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where the simulator writes what it sent. */
  readonly recordFile?: string;
  /** Instead of one of its own. */
  readonly databaseUrl?: string;
};

/**
 * A server that takes orders on BNBUSDT, ETHBTC and LTCBTC, with a Postgres of its own and a simulated market
 * that shows what it is told to.
 */
export class Floor implements AsyncDisposable {
  readonly databaseUrl: string;
  readonly simulator: RunningSimulator;
  readonly #environment: Readonly<Record<string, string>>;
  #server: RunningServer | undefined;
  #transport: Transport | undefined;
  #database: Database | undefined;
  #updateId = 400_900_200;

  static async open(options: FloorOptions = {}): Promise<Floor> {
    const { environment = {}, recordFile, databaseUrl = await createTestDatabase() } = options;
    const flags = recordFile === undefined ? {} : { record: recordFile };
    const simulator = await startSimulator(
      readSimulatorConfig({ SIMULATOR_PORT: '0' }, flags),
      surroundings,
    );
    const floor = new Floor(databaseUrl, simulator, environment);
    for (const symbol of symbols) await floor.inject(symbol, []);
    await floor.startServer();
    return floor;
  }

  /** Another server on the same database and market. */
  async openBeside(): Promise<Floor> {
    const floor = new Floor(this.databaseUrl, this.simulator, this.#environment);
    await floor.startServer();
    return floor;
  }

  private constructor(
    databaseUrl: string,
    simulator: RunningSimulator,
    environment: Readonly<Record<string, string>>,
  ) {
    this.databaseUrl = databaseUrl;
    this.simulator = simulator;
    this.#environment = environment;
  }

  /** Where the server of the moment answers. */
  get url(): string {
    if (this.#server === undefined) throw new Error('No server runs');
    return this.#server.url;
  }

  get transport(): Transport {
    return (this.#transport ??= createGrpcTransport({ baseUrl: this.url }));
  }

  get orders(): Client<typeof OrderService> {
    return createClient(OrderService, this.transport);
  }

  /** Starts one, and waits until it takes orders. */
  async startServer(): Promise<void> {
    this.#server = await startServer(
      readServerConfig({
        // The same after a restart, so that clients find it again.
        PORT: this.#server === undefined ? '0' : String(this.#server.port),
        MODE: 'TEST',
        SIMULATOR_URL: this.simulator.url,
        BINANCE_SYMBOLS: symbols.join(' '),
        DATABASE_URL: this.databaseUrl,
        HISTORY_CANDLES: '1',
        SHUTDOWN_GRACE_MS: '1000',
        ...this.#environment,
      }),
      surroundings,
    );
    await this.whenOrdersAreTaken();
  }

  async stopServer(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  /** Places an order: sells 25 BNBUSDT at 42, GTC, unless said otherwise. */
  async submit(wish: Wish = {}): Promise<Order> {
    const { order } = await this.orders.submitLimitOrder(anOrder(wish));
    if (order === undefined) throw new Error('Expected an answer with the order');
    return order;
  }

  async order(orderId: string, account = ''): Promise<Order> {
    const id = { case: 'orderId' as const, value: orderId };
    const { order } = await this.orders.getOrder({ account, order: id });
    if (order === undefined) throw new Error('Expected an answer with the order');
    return order;
  }

  /** Shows a best bid and ask, and waits until the server has got them. @returns its update id */
  async quote(
    [b, B, a, A]: Quote,
    { symbol = 'BNBUSDT', u = this.#updateId + 1 }: { symbol?: string; u?: number } = {},
  ): Promise<number> {
    this.#updateId = u;
    await this.inject(symbol, [{ u, s: symbol, b, B, a, A }]);
    const market = createClient(MarketService, this.transport);
    const open = (signal: AbortSignal) =>
      market.streamBookTickers({ instruments: [symbol] }, { signal });
    for await (const { event } of readStream(open)) {
      if (event.case === 'bookTicker' && event.value.updateId >= BigInt(u)) break;
    }
    return u;
  }

  /** Sends these payloads in place of the symbol's random market. */
  async inject(symbol: string, frames: readonly object[]): Promise<void> {
    await this.control({ action: 'inject', symbol, frames });
  }

  /** Does something to the simulated market. */
  async control(action: object): Promise<void> {
    const body = JSON.stringify(action);
    const answer = await fetch(`${this.simulator.url}/control`, { method: 'POST', body });
    if (!answer.ok) throw new Error(`control: ${answer.status} ${await answer.text()}`);
  }

  /** How many orders and events are stored. */
  async storedRows(): Promise<number> {
    const [rows] = await this.#count(
      'select (select count(*) from orders) + (select count(*) from order_event) as count',
    );
    return rows ?? 0;
  }

  /** How many shards each server has that has any. */
  shardCounts(): Promise<readonly number[]> {
    return this.#count(
      'select count(*) as count from shard_lease where owner is not null group by owner',
    );
  }

  async #count(statement: string): Promise<readonly number[]> {
    this.#database ??= openDatabase({ url: this.databaseUrl, program: 'test', ...surroundings });
    const rows = await this.#database.run((sql) => sql.text<{ count: number }>(statement, []));
    return rows.map(({ count }) => count);
  }

  /** Waits until it, or another server that it knows, is in charge of each instrument. */
  async whenOrdersAreTaken(): Promise<void> {
    const { orders } = this;
    for (const instrument of symbols) {
      await eventually(() => orders.cancelAllOrders({ account: 'nobody', instrument }));
    }
  }

  /** Ends its server, and not what it stands on. */
  async leave(): Promise<void> {
    await this.#database?.[Symbol.asyncDispose]();
    await this.stopServer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
    await this.simulator[Symbol.asyncDispose]();
  }
}

export function anOrder(wish: Wish = {}) {
  return {
    instrument: 'BNBUSDT',
    side: OrderSide.SELL,
    quantity: '25',
    limitPrice: '42',
    timeInForce: wish.expiry === undefined ? TimeInForce.GTC : TimeInForce.GTD,
    ...wish,
  };
}

/** How an order was split: price and quantity of each. */
export function splitsOf({ splits }: Order): readonly string[] {
  return splits.map(({ quantity, price }) => `${quantity} @ ${price}`);
}
