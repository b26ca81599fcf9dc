import assert from 'node:assert/strict';
import type { Micros } from '../base/clock.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import { isTerminal, remainingQuantity } from '../domain/order.ts';
import type { CancelReason, Order } from '../domain/order.ts';
import { applyOrderEvent } from '../domain/order-event.ts';
import type { OrderEvent } from '../domain/order-event.ts';
import { Book } from './book.ts';
import type { BookSide } from './book.ts';
import { OpenOrders } from './open-orders.ts';
import type { OpenOrder } from './open-orders.ts';
import type { ConsumedLevel, Halts } from './order-log.ts';
import type { WaitingFor } from './waiting.ts';

/** A ticker of this age may be that of a connection which died and has not been noticed yet. */
const maximumTickerAgeMs = 5_000;

export type MatchingEngineOptions = {
  readonly instrument: InstrumentName;
  /**
   * Takes each decision at once, with the order as it is after it; it has happened in the engine
   * already. All that it may call of the engine is `stopDeciding`: nothing more is decided then, also
   * where one ticker would fill thousands.
   */
  readonly decide: (event: OrderEvent, order: Order) => void;
  /**
   * An order could be filled, but the ticker is too old. To be answered with `handleTicker`, at once
   * or later, or with `noFreshTicker`; it is not called again before that.
   */
  readonly needsFreshTicker: () => void;
  /** Of the ticker that a fill is decided on. */
  readonly maximumTickerAgeMs?: number;
};

/**
 * Decides what happens to the orders of one instrument: synchronously, by what it is told alone. Its
 * time is that of its arguments.
 *
 * It begins without deciding anything, so that it can be given what the log holds (`restore`, `add`)
 * and the last good ticker first; `startDeciding` then does what is due, in the right order.
 */
export class MatchingEngine {
  readonly instrument: InstrumentName;
  readonly #options: MatchingEngineOptions;
  readonly #maximumTickerAge: Micros;
  readonly #open = new OpenOrders();
  readonly #book = new Book();
  /** IOC and FOK orders for which it has not been possible to decide yet. */
  #undecided: OpenOrder[] = [];
  #halts: Halts = { revision: 0, everything: undefined, accounts: new Map() };
  #isDeciding = false;
  #isAsking = false;

  constructor(options: MatchingEngineOptions) {
    this.instrument = options.instrument;
    this.#options = options;
    this.#maximumTickerAge = (options.maximumTickerAgeMs ?? maximumTickerAgeMs) * 1000;
  }

  get isDeciding(): boolean {
    return this.#isDeciding;
  }

  /** Whether there is a ticker that orders may be filled by. */
  get isGood(): boolean {
    return this.#book.isGood;
  }

  /** When `expire` has something to do next. */
  get nextExpiry(): Micros | undefined {
    return this.#open.firstToExpire?.order.expireTime;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** The orders that are not at their end, in the order of their acceptance. */
  openOrders(): Iterable<Order> {
    return this.#open;
  }

  get(orderId: string): Order | undefined {
    return this.#open.get(orderId)?.order;
  }

  /** Why an open order is not being filled now; undefined for one that is not open. */
  waitsFor(orderId: string): WaitingFor | undefined {
    const open = this.#open.get(orderId);
    return open === undefined ? undefined : this.#waitsFor(open);
  }

  /** Goes on with the levels that were used before; to be called before the first ticker. */
  restore(consumed: Iterable<ConsumedLevel>): void {
    for (const { instrument, side, price, displayedQuantity, consumed: used } of consumed) {
      assert(instrument === this.instrument, 'A level is restored where it was used');
      this.#book.sideFor(side).level.restore(price, displayedQuantity, used);
    }
  }

  /** An accepted order enters, and is filled as far as can be. To be called in the order of acceptance. */
  add(order: Order, now: Micros): void {
    const open = this.#open.add(order, this.#halts.accounts.has(order.account));
    if (order.timeInForce === 'IOC' || order.timeInForce === 'FOK') this.#undecided.push(open);
    if (this.#isDeciding) this.#decideAll(now);
  }

  /** One that is older than the last is left; the last one once more shows that it still holds. */
  handleTicker(ticker: BookTicker): void {
    if (!this.#book.display(ticker)) return;
    this.#isAsking = false;
    if (this.#isDeciding) this.#decideAll(ticker.receivedTime);
  }

  /** Tickers may be missed from now on: none is good until the next one comes. */
  handleMarketLost(reason: string, time: Micros): void {
    this.#book.lose(reason);
    this.#isAsking = false;
    if (this.#isDeciding) this.#decideAll(time);
  }

  /** A lost market is back, and its first ticker is on its way. */
  handleMarketOpened(): void {
    this.#book.open();
  }

  /** The exchange was asked for a fresh ticker in vain: IOC and FOK orders wait no longer. */
  noFreshTicker(time: Micros): void {
    this.#isAsking = false;
    for (const open of this.#takeUndecided()) {
      if (this.#isDeciding) this.#cancel(open, 'noMarket', time);
      else this.#undecided.push(open);
    }
  }

  /** Ends the orders whose time is over; an expiry's time is the order's, however late it is noticed. */
  expire(now: Micros): void {
    let open = this.#open.firstToExpire;
    while (this.#isDeciding && open?.order.expireTime !== undefined) {
      if (open.order.expireTime > now) return;
      this.#decide(open, { type: 'expired', ...next(open), time: open.order.expireTime });
      open = this.#open.firstToExpire;
    }
  }

  /**
   * Cancels an open order, unless it has expired by then, or nothing is decided any more.
   * @returns whether it did
   */
  cancel(orderId: string, time: Micros): boolean {
    assert(this.#isDeciding, 'Nothing is canceled while nothing is decided');
    this.expire(time);
    const open = this.#open.get(orderId);
    if (open === undefined || !this.#isDeciding) return false;
    this.#cancel(open, 'requested', time);
    return true;
  }

  /** Orders of who is halted are not filled; they keep their place, expire, and can be canceled. */
  halt(halts: Halts, now: Micros): void {
    this.#halts = halts;
    this.#open.halt((account) => halts.accounts.has(account));
    if (this.#isDeciding) this.#decideAll(now);
  }

  /** From now on nothing happens to orders, while market data is still taken in. */
  stopDeciding(): void {
    this.#isDeciding = false;
  }

  /** Decides what is due by now, and from now on. */
  startDeciding(now: Micros): void {
    this.#isDeciding = true;
    this.#decideAll(now);
  }

  get #isEverythingHalted(): boolean {
    return this.#halts.everything !== undefined;
  }

  #decideAll(now: Micros): void {
    this.#expireBefore(now);
    this.#match(this.#book.bid, now);
    this.#match(this.#book.ask, now);
    if (this.#undecided.length > 0) this.#settle(now);
  }

  /** Nobody is filled by a ticker of after their expiry, also where our clock was set back since. */
  #expireBefore(now: Micros): void {
    const { nextExpiry } = this;
    if (nextExpiry === undefined) return;
    this.expire(Math.max(now, this.#book.ticker?.receivedTime ?? now));
  }

  /** Fills those in line from what is displayed, first come first served. */
  #match(side: BookSide, now: Micros): void {
    const line = side.orders === 'sell' ? this.#open.sells : this.#open.buys;
    let first = line.first;
    // Most tickers end here.
    if (first === undefined || !side.reaches(first.limitPrice)) return;
    const { ticker } = this.#book;
    if (ticker === undefined || this.#isEverythingHalted || !this.#book.isTradable(side)) return;
    const isStale = now - ticker.receivedTime > this.#maximumTickerAge;
    while (first !== undefined && side.reaches(first.limitPrice) && side.level.available > 0n) {
      if (!this.#isDeciding) return;
      if (isStale) return this.#ask();
      this.#fill(first, side, ticker, now);
      first = line.first;
    }
  }

  #fill(
    open: OpenOrder,
    { level }: BookSide,
    { updateId, receivedTime: time }: BookTicker,
    now: Micros,
  ): void {
    const remaining = remainingQuantity(open.order);
    const { available, price, quantity: displayedQuantity } = level;
    if (open.order.timeInForce === 'FOK' && remaining > available) {
      return this.#cancel(open, 'notCovered', now);
    }
    const quantity = remaining < available ? remaining : available;
    level.use(quantity);
    const of = { price, quantity, updateId, displayedQuantity, consumedAfter: level.consumed };
    this.#decide(open, { type: 'filled', ...next(open), time, ...of });
  }

  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#options.needsFreshTicker();
  }

  /** IOC and FOK orders do not rest: what is left of them is canceled, if it can be decided at all. */
  #settle(time: Micros): void {
    for (const open of this.#takeUndecided()) {
      const waiting = this.#waitsFor(open);
      if (waiting.type === 'staleTicker' || waiting.type === 'storage') this.#undecided.push(open);
      else this.#cancel(open, reasonOf(open.order, waiting), time);
    }
  }

  #takeUndecided(): OpenOrder[] {
    const taken = this.#undecided.filter(({ order }) => !isTerminal(order));
    this.#undecided = [];
    return taken;
  }

  #waitsFor({ order, isHalted }: OpenOrder): WaitingFor {
    if (!this.#isDeciding) return { type: 'storage' };
    const isEverything = this.#isEverythingHalted;
    if (isEverything || isHalted) return { type: 'halted', isEverything };
    // All but the age of the ticker has been looked at then: it would have been filled otherwise.
    return this.#book.obstacleTo(order) ?? this.#book.staleness();
  }

  #cancel(open: OpenOrder, reason: CancelReason, time: Micros): void {
    this.#decide(open, { type: 'canceled', ...next(open), time, reason });
  }

  #decide(open: OpenOrder, event: OrderEvent): void {
    open.order = applyOrderEvent(open.order, event);
    if (isTerminal(open.order)) this.#open.remove(open);
    this.#options.decide(event, open.order);
  }
}

function next({ order }: OpenOrder): Pick<OrderEvent, 'orderId' | 'version'> {
  return { orderId: order.orderId, version: order.version + 1 };
}

function reasonOf({ timeInForce }: Order, { type }: WaitingFor): CancelReason {
  if (type !== 'priceOutOfReach' && type !== 'levelConsumed') return 'noMarket';
  return timeInForce === 'FOK' ? 'notCovered' : 'notFilledAtOnce';
}
