import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Order, OrderRequest } from '../domain/order.ts';
import { Refusal } from '../domain/refusal.ts';
import type { ReachPoint } from './crash-points.ts';
import { zeroOrderCounters } from './order-counters.ts';
import type { OrderDesk, ShardOwner, Submission } from './order-desk.ts';
import { newOrderId } from './order-id.ts';
import { shardCount } from './order-log.ts';
import type { OrderLog } from './order-log.ts';
import type { OrderMarket } from './order-market.ts';
import { ShardKeeper } from './shard-keeper.ts';
import type { ShardLeases } from './shard-leases.ts';
import { shardOf } from './shard-of.ts';
import type { OrderLimits, ShardSession } from './shard-session.ts';
import type { StoredOrders } from './shard-desk.ts';
import { Shard } from './shard.ts';
import { TickerQuestions } from './ticker-questions.ts';
import type { WaitingFor } from './waiting.ts';

export type OrderManagerOptions = {
  readonly log: OrderLog;
  readonly orders: StoredOrders;
  readonly market: OrderMarket;
  readonly limits: OrderLimits & {
    /** Orders that wait for their commit; one more is refused. */
    readonly maximumPendingOrders: number;
  };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly reach: ReachPoint;
};

export type OrderState = {
  readonly shards: number;
  /** Of them, those that decide at present. */
  readonly deciding: number;
  readonly openOrders: number;
  /** Events that are not known to be stored. */
  readonly uncommitted: number;
};

/** Takes orders, decides on them by the market, and keeps the log: as far as its shards go. */
export class OrderManager implements OrderDesk, AsyncDisposable {
  readonly counters = zeroOrderCounters();
  readonly #options: OrderManagerOptions;
  readonly #shards: readonly Shard[];
  readonly #questions: TickerQuestions;
  /** Hashing a name with each ticker would cost more than all the rest. */
  readonly #shardsOf = new Map<InstrumentName, Shard>();
  #keeper: ShardKeeper | undefined;
  #pendingOrders = 0;

  constructor(options: OrderManagerOptions) {
    const { clock, market } = options;
    this.#options = options;
    this.#questions = new TickerQuestions({
      market,
      clock,
      counters: this.counters,
      sessionOf: (instrument) => this.#shardOf(instrument).session,
    });
    this.#shards = Array.from({ length: shardCount }, (_, number) => {
      return new Shard({
        ...options,
        number,
        counters: this.counters,
        newOrderId: () => newOrderId(clock),
        openOrdersOf: (account) => this.#openOrdersOf(account),
        needsFreshTicker: (instrument) => this.#questions.ask(instrument),
      });
    });
  }

  /** Takes shards from now on. */
  start(leases: ShardLeases): void {
    const { log, clock, logger, reach } = this.#options;
    const shards = this.#shards;
    this.#keeper ??= new ShardKeeper({ shards, leases, log, clock, logger, reach });
  }

  /** To be called with every ticker, at once: orders are filled by its return. */
  handleTicker(ticker: BookTicker): void {
    const shard = this.#shardsOf.get(ticker.instrument) ?? this.#shardOf(ticker.instrument);
    shard.session?.handleTicker(ticker);
  }

  /** To be called when connections were opened or lost, and when something was missed. */
  handleMarketChange(): void {
    for (const { session } of this.#shards) session?.handleMarketChange();
  }

  /** How this server's shards are. */
  state(): OrderState {
    const owned = this.#shards.filter(({ lease }) => lease !== undefined);
    const sessions = owned.flatMap(({ session }) => session ?? []);
    const sum = (count: (session: ShardSession) => number) =>
      sessions.reduce((total, session) => total + count(session), 0);
    return {
      shards: owned.length,
      deciding: sessions.filter((session) => session.mayDecide()).length,
      openOrders: sum(({ openCount }) => openCount),
      uncommitted: sum(({ uncommitted }) => uncommitted),
    };
  }

  /** Why this server takes no shards, in words; undefined where it does. */
  get trouble(): string | undefined {
    return this.#keeper?.trouble;
  }

  ownerOf(instrument: InstrumentName): ShardOwner {
    const shard = this.#shardOf(instrument);
    if (shard.lease !== undefined) return { type: 'here' };
    const owner = this.#keeper?.ownerOf(shard.number);
    if (owner !== undefined) return { type: 'elsewhere', url: owner.address };
    return { type: 'nobody', reason: this.trouble };
  }

  async submit(
    request: OrderRequest,
    { timeout }: { readonly timeout?: Micros | undefined } = {},
  ): Promise<Submission> {
    const { limits, reach } = this.#options;
    reach('submission.received');
    if (this.#pendingOrders >= limits.maximumPendingOrders) {
      const most = `At most ${limits.maximumPendingOrders} orders may wait to be stored`;
      throw new Refusal('limit', `${most}: try again later`);
    }
    this.#pendingOrders++;
    try {
      return await this.#shardOf(request.instrument).desk.submit(request, timeout);
    } finally {
      this.#pendingOrders--;
    }
  }

  cancel(order: Pick<Order, 'orderId' | 'account' | 'instrument'>): Promise<Order> {
    return this.#shardOf(order.instrument).desk.cancel(order);
  }

  async cancelAll(account: string, instrument?: InstrumentName): Promise<readonly Order[]> {
    const ours = this.#shards.filter(({ lease }) => lease !== undefined);
    const shards = instrument === undefined ? ours : [this.#shardOf(instrument)];
    const canceled = await Promise.all(
      shards.map((shard) => shard.desk.cancelAll(account, instrument)),
    );
    // What was let go meanwhile may have taken orders elsewhere, where this was not asked for.
    for (const { desk } of shards) desk.expectDeciding();
    return canceled.flat();
  }

  waitingFor(order: Pick<Order, 'orderId' | 'instrument'>): WaitingFor | undefined {
    return this.#shardOf(order.instrument).waitingFor(order);
  }

  /** Stores what is decided, and lets the shards go. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#questions[Symbol.dispose]();
    await this.#keeper?.[Symbol.asyncDispose]();
  }

  #shardOf(instrument: InstrumentName): Shard {
    const known = this.#shardsOf.get(instrument);
    if (known !== undefined) return known;
    const shard = this.#shards[shardOf(instrument)];
    if (shard === undefined) throw new RangeError(`Expected a shard for ${instrument}`);
    this.#shardsOf.set(instrument, shard);
    return shard;
  }

  #openOrdersOf(account: string): number {
    return this.#shards.reduce(
      (count, { session }) => count + (session?.openOrdersOf(account) ?? 0),
      0,
    );
  }
}
