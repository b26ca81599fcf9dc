import type { Decimal } from '../base/decimal.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { Order, OrderSide } from '../domain/order.ts';
import { DisplayedLevel } from './displayed-level.ts';
import type { WaitingFor } from './waiting.ts';

/** One side of the book: the bid, from which sells are filled, or the ask, from which buys are. */
export type BookSide = {
  /** The side of the orders that use it. */
  readonly orders: OrderSide;
  readonly level: DisplayedLevel;
  /** Whether its price is at the limit or better. */
  readonly reaches: (limitPrice: Decimal) => boolean;
};

/** The best bid and ask that the exchange displays, as far as they are known. */
export class Book {
  readonly bid: BookSide;
  readonly ask: BookSide;
  /** Whether the last ticker still holds. */
  isGood = false;
  #ticker: BookTicker | undefined;
  #lostReason: string | undefined;

  constructor() {
    const [bid, ask] = [new DisplayedLevel(), new DisplayedLevel()];
    this.bid = { orders: 'sell', level: bid, reaches: (limit) => bid.price >= limit };
    this.ask = { orders: 'buy', level: ask, reaches: (limit) => ask.price <= limit };
  }

  /** The ticker that holds. */
  get ticker(): BookTicker | undefined {
    return this.isGood ? this.#ticker : undefined;
  }

  /** The side that orders of a side are filled from. */
  sideFor(orders: OrderSide): BookSide {
    return orders === 'sell' ? this.bid : this.ask;
  }

  /** @returns false for a ticker that is older than the one that holds, and nothing has changed */
  display(ticker: BookTicker): boolean {
    const before = this.#ticker;
    if (this.isGood && before !== undefined && ticker.updateId <= before.updateId) {
      // The same id with another book cannot be: the first one is kept.
      if (ticker.updateId < before.updateId || !isSameBook(ticker, before)) return false;
    }
    this.#ticker = ticker;
    this.isGood = true;
    this.bid.level.display(ticker.bidPrice, ticker.bidQuantity);
    this.ask.level.display(ticker.askPrice, ticker.askQuantity);
    return true;
  }

  /** What our orders used of the levels is kept: the next ticker may show the same ones. */
  lose(reason: string): void {
    this.isGood = false;
    this.#lostReason = reason;
  }

  open(): void {
    this.#lostReason = undefined;
  }

  /** Whether orders may be filled from a side: it displays something, and the book is not crossed. */
  isTradable({ level }: BookSide): boolean {
    return this.isGood && level.price > 0n && level.quantity > 0n && !this.#isCrossed();
  }

  /** What is in the way of filling the order now, but for the ticker's age. */
  obstacleTo({ side: orders, limitPrice }: Order): WaitingFor | undefined {
    if (!this.isGood) {
      const reason = this.#lostReason;
      return reason === undefined ? { type: 'noTicker' } : { type: 'feedDown', reason };
    }
    const [bidPrice, askPrice] = [this.bid.level.price, this.ask.level.price];
    if (this.#isCrossed()) return { type: 'crossedBook', bidPrice, askPrice };
    const side = this.sideFor(orders);
    if (!this.isTradable(side)) return { type: 'emptySide', side: orders };
    const { price, quantity: displayedQuantity, available } = side.level;
    if (!side.reaches(limitPrice)) {
      return { type: 'priceOutOfReach', side: orders, bestPrice: price, limitPrice };
    }
    return available > 0n ? undefined : { type: 'levelConsumed', price, displayedQuantity };
  }

  staleness(): WaitingFor {
    return { type: 'staleTicker', receivedTime: this.#ticker?.receivedTime ?? 0 };
  }

  /** An empty side has price 0 and crosses nothing. */
  #isCrossed(): boolean {
    const ask = this.ask.level.price;
    return ask > 0n && this.bid.level.price >= ask;
  }
}

function isSameBook(a: BookTicker, b: BookTicker): boolean {
  return (
    a.bidPrice === b.bidPrice &&
    a.bidQuantity === b.bidQuantity &&
    a.askPrice === b.askPrice &&
    a.askQuantity === b.askQuantity
  );
}
