import assert from 'node:assert/strict';
import type { Clock } from '../base/clock.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import { isTerminal } from '../domain/order.ts';
import type { Order } from '../domain/order.ts';
import { applyOrderEvent } from '../domain/order-event.ts';
import type { OrderEvent } from '../domain/order-event.ts';
import { Refusal } from '../domain/refusal.ts';
import { CommitQueue } from './commit-queue.ts';
import type { CommitFailure, Uncommitted } from './commit-queue.ts';
import type { ReachPoint } from './crash-points.ts';
import { mayHappen, refuseHalted } from './halts.ts';
import { checkOrder } from './order-checks.ts';
import type { OrderBounds } from './order-checks.ts';
import type { OrderCounters } from './order-counters.ts';
import type { Halts, OrderLog, ShardContents, ShardLease } from './order-log.ts';
import type { OrderMarket } from './order-market.ts';
import type { PendingCancel, PendingSubmission, ShardEvent } from './pending.ts';
import { answerDuplicate } from './same-request.ts';
import { ShardEngines } from './shard-engines.ts';
import type { WaitingFor } from './waiting.ts';

export type OrderLimits = OrderBounds & {
  /** Counted by each server, of the shards that are its own. */
  readonly maximumOpenOrders: number;
};

export type ShardSessionOptions = {
  readonly contents: ShardContents;
  readonly log: Pick<OrderLog, 'append'>;
  readonly market: OrderMarket;
  readonly limits: OrderLimits;
  readonly clock: Clock;
  readonly reach: ReachPoint;
  readonly counters: OrderCounters;
  readonly newOrderId: () => string;
  /** Open orders of an account, over all shards that are here. */
  readonly openOrdersOf: (account: string) => number;
  readonly needsFreshTicker: (instrument: InstrumentName) => void;
  readonly onStored: () => void;
  readonly onFailed: (failure: CommitFailure) => void;
};

/**
 * A shard under one epoch, from what the log held to the first commit that fails: what is decided,
 * and what of it is stored. Nobody is told of anything before it is.
 */
export class ShardSession implements Disposable {
  readonly lease: ShardLease;
  readonly #options: ShardSessionOptions;
  readonly #engines: ShardEngines;
  readonly #queue: CommitQueue<ShardEvent>;
  /** By account: open orders, and those on their way to be. */
  readonly #openOrders = new Map<string, number>();
  #halts: Halts;
  #decideUntilMs = -Infinity;
  #isEnding = false;
  /** Whose cancel is being decided. */
  #canceling: PendingCancel | undefined;

  constructor(options: ShardSessionOptions) {
    const { contents, log, market, clock, reach, needsFreshTicker, onFailed } = options;
    this.#options = options;
    this.lease = contents.lease;
    this.#halts = contents.halts;
    this.#queue = new CommitQueue({
      lease: contents.lease,
      haltRevision: contents.halts.revision,
      log,
      clock,
      reach,
      onStored: (events, duplicates) => this.#handleStored(events, duplicates),
      onFailed,
    });
    this.#engines = new ShardEngines({
      contents,
      market,
      clock,
      decide: (event, order) => this.#decide(event, order),
      needsFreshTicker,
      onDue: () => {
        if (this.mayDecide()) this.#engines.expire();
      },
    });
    for (const { account } of contents.orders) this.#countOpen(account, 1);
  }

  get haltRevision(): number {
    return this.#halts.revision;
  }

  /** Who may not trade has changed: from now on it is decided under that. */
  takeHalts(halts: Halts): void {
    if (halts.revision <= this.haltRevision) return;
    // Where not, the next append is refused, and the shard loaded again.
    const isNew = this.#queue.goOnUnder(halts.revision, (event) => mayHappen(event, halts));
    if (!isNew) return;
    this.#halts = halts;
    this.#engines.halt(halts);
  }

  /** The lease lasts until then, in the clock's monotonic milliseconds. */
  extend(decideUntilMs: number): void {
    this.#decideUntilMs = Math.max(this.#decideUntilMs, decideUntilMs);
    this.mayDecide();
  }

  /** Whether anything may be decided now; what was due meanwhile is decided first. */
  mayDecide(): boolean {
    const may = this.#mayGoOn();
    if (may !== this.#engines.isDeciding) {
      if (may) this.#engines.start();
      else this.#engines.stop();
    }
    return this.#engines.isDeciding;
  }

  openOrdersOf(account: string): number {
    return this.#openOrders.get(account) ?? 0;
  }

  openOrders(): Iterable<Order> {
    return this.#engines.openOrders();
  }

  /** Open orders, and those on their way to be. */
  get openCount(): number {
    let count = 0;
    for (const each of this.#openOrders.values()) count += each;
    return count;
  }

  /** Events that are decided and not known to be stored. */
  get uncommitted(): number {
    return this.#queue.size;
  }

  get({ instrument, orderId }: Pick<Order, 'instrument' | 'orderId'>): Order | undefined {
    return this.#engines.get(instrument)?.get(orderId);
  }

  waitingFor({
    instrument,
    orderId,
  }: Pick<Order, 'instrument' | 'orderId'>): WaitingFor | undefined {
    return this.#engines.get(instrument)?.waitsFor(orderId);
  }

  handleTicker(ticker: BookTicker): void {
    if (this.#engines.get(ticker.instrument) === undefined) return;
    this.mayDecide();
    this.#engines.handleTicker(ticker);
  }

  handleMarketChange(): void {
    this.mayDecide();
    this.#engines.handleMarketChange();
  }

  /** The exchange told the ticker that was asked for, or could not. */
  handleAnswer(instrument: InstrumentName, ticker: BookTicker | undefined): void {
    // While its feed is down or off, an instrument waits, whatever was asked before that.
    const isLost = this.#options.market.tickerOf(instrument).type === 'lost';
    if (ticker !== undefined && !isLost) this.handleTicker(ticker);
    else this.mayDecide();
    this.#engines.get(instrument)?.noFreshTicker(this.#options.clock.now());
  }

  /** Looks again at what could not be decided for an old ticker. */
  lookAgain(instrument: InstrumentName): void {
    if (!this.mayDecide()) return;
    this.#engines.get(instrument)?.startDeciding(this.#options.clock.now());
  }

  /**
   * Why an order is not accepted.
   * @throws Refusal
   */
  check({ request, timeout }: PendingSubmission): void {
    const { market, limits, clock, openOrdersOf } = this.#options;
    checkOrder(request, timeout, {
      now: clock.now(),
      limits: market.limitsOf(request.instrument),
      ticker: market.lastTickerOf(request.instrument),
      bounds: limits,
    });
    refuseHalted(this.#halts, request.account);
    if (openOrdersOf(request.account) >= limits.maximumOpenOrders) {
      const most = `At most ${limits.maximumOpenOrders} open orders an account`;
      throw new Refusal('limit', `${most}: cancel some, or wait until some are filled`);
    }
  }

  /** Sends an acceptance to the log; the order enters when it is stored. */
  accept(pending: PendingSubmission): void {
    assert(this.mayDecide(), 'Nothing is accepted while nothing is decided');
    const { clock, newOrderId } = this.#options;
    const { request, timeout } = pending;
    const time = clock.now();
    const expireTime = timeout === undefined ? request.expireTime : time + timeout;
    const event: OrderEvent = {
      type: 'accepted',
      orderId: newOrderId(),
      version: 1,
      time,
      request: { ...request, expireTime },
    };
    this.#countOpen(request.account, 1);
    this.#queue.add({ event, order: applyOrderEvent(undefined, event), pending });
  }

  /** @returns whether it was open; then the answer is given when that is stored */
  cancel(pending: PendingCancel): boolean {
    const { instrument, orderId } = pending.order;
    const engine = this.#engines.get(instrument);
    if (engine === undefined) return false;
    this.#canceling = pending;
    try {
      return engine.cancel(orderId, this.#options.clock.now());
    } finally {
      this.#canceling = undefined;
    }
  }

  /** Settles when all that has been decided is stored, or never will be. */
  whenStored(): Promise<void> {
    return this.#queue.whenStored();
  }

  /** Decides nothing more. */
  end(): void {
    this.#isEnding = true;
    this.#engines.stop();
  }

  /** Ends it at once; answers what is not known to be stored. */
  close(): Uncommitted<ShardEvent> {
    this.end();
    return this.#queue.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #mayGoOn(): boolean {
    if (this.#isEnding || this.#queue.isFull) return false;
    return this.#options.clock.monotonicMs() < this.#decideUntilMs;
  }

  #decide(event: OrderEvent, order: Order): void {
    if (event.type !== 'accepted') this.#options.reach(`${event.type}.decided`);
    if (isTerminal(order)) this.#countOpen(order.account, -1);
    const canceling = event.type === 'canceled' ? this.#canceling : undefined;
    const isAwaited = canceling?.order.orderId === event.orderId;
    this.#queue.add({ event, order, ...(isAwaited && { pending: canceling }) });
    // One ticker, or one moment, may be that of thousands: the rest waits until these are stored.
    if (!this.#mayGoOn()) this.#engines.stop();
  }

  #handleStored(events: readonly ShardEvent[], duplicates: ReadonlyMap<string, Order>): void {
    const { reach, counters, onStored } = this.#options;
    this.mayDecide();
    for (const { event, order, pending } of events) {
      if (event.type === 'accepted') {
        const duplicate = duplicates.get(order.orderId);
        if (duplicate !== undefined) {
          this.#countOpen(order.account, -1);
          if (pending?.type === 'submission') answerDuplicate(pending, duplicate);
          continue;
        }
        counters.accepted++;
        reach('accepted.entering');
        this.#engines.add(order);
        if (pending?.type !== 'submission') continue;
        pending.answer.resolve({ order, isAlreadyAccepted: false });
        reach('accepted.answered');
      } else {
        counters[event.type]++;
        if (pending?.type === 'cancel') pending.answer.resolve(order);
      }
    }
    this.mayDecide();
    onStored();
  }

  #countOpen(account: string, change: 1 | -1): void {
    const count = this.openOrdersOf(account) + change;
    if (count === 0) this.#openOrders.delete(account);
    else this.#openOrders.set(account, count);
  }
}
