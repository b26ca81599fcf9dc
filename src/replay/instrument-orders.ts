import type { Micros } from '../base/clock.ts';
import { Failure } from '../cli/failure.ts';
import { defaultAccount } from '../domain/account.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Order, Split } from '../domain/order.ts';
import { applyOrderEvent } from '../domain/order-event.ts';
import type { OrderEvent } from '../domain/order-event.ts';
import { MatchingEngine } from '../order/matching-engine.ts';
import type { WaitingFor } from '../order/waiting.ts';
import type { WantedOrder } from './order-arguments.ts';

/** A file that was silent for longer than this may have missed something. */
const longestSilence: Micros = 5_000_000;

/** About 500 MB of memory; a day of one busy instrument has ten times as many changes of the bid. */
const mostSplits = 1_000_000;

/** An order, and its place in the command line, from 1: that is its id. */
export type NumberedOrder = WantedOrder & { readonly number: number };

/** What became of an order. */
export type ReplayedOrder = {
  readonly order: Order;
  readonly splits: readonly Split[];
  /** Undefined where it is at its end. */
  readonly waiting: WaitingFor | undefined;
};

/** The orders of one instrument in a replay, fulfilled by the server's engine. */
export class InstrumentOrders {
  readonly #instrument: InstrumentName;
  readonly #engine: MatchingEngine;
  /** Those that are not submitted yet, by their time. */
  readonly #coming: NumberedOrder[];
  readonly #submitted = new Map<string, { order: Order; readonly splits: Split[] }>();
  #ticker: BookTicker | undefined;
  /** The time of the latest line of a file that the instrument is in. */
  #heardAt: Micros | undefined;
  #now: Micros = 0;
  #splits = 0;

  constructor(instrument: InstrumentName, orders: readonly NumberedOrder[]) {
    this.#instrument = instrument;
    this.#coming = orders.toSorted(byTime);
    this.#engine = new MatchingEngine({
      instrument,
      decide: (event, order) => this.#note(event, order),
      needsFreshTicker: () => this.#confirmTicker(),
    });
    this.#engine.startDeciding(0);
  }

  /** Those whose time has not come. */
  get coming(): readonly NumberedOrder[] {
    return this.#coming;
  }

  /** The next line is of this time: submits what is due before it. */
  advance(time: Micros): void {
    for (let next = this.#coming[0]; next !== undefined; next = this.#coming[0]) {
      if (timeOf(next) > time) break;
      this.#coming.shift();
      // Before the first line there was no time.
      this.#submit(next, this.#heardAt === undefined ? time : timeOf(next));
    }
    this.#heardAt = Math.max(time, this.#heardAt ?? time);
  }

  handleTicker(ticker: BookTicker): void {
    this.#ticker = ticker;
    this.#engine.handleTicker(ticker);
  }

  /** What became of them by the end. */
  end(): ReplayedOrder[] {
    if (this.#heardAt !== undefined) this.#engine.expire(this.#heardAt);
    return [...this.#submitted.values()].map((submitted) => {
      return { ...submitted, waiting: this.#engine.waitsFor(submitted.order.orderId) };
    });
  }

  #submit(wanted: NumberedOrder, time: Micros): void {
    const { side, quantity, limitPrice, timeInForce, timeout } = wanted;
    const order = applyOrderEvent(undefined, {
      type: 'accepted',
      orderId: String(wanted.number),
      version: 1,
      time,
      request: {
        account: defaultAccount,
        instrument: this.#instrument,
        side,
        quantity,
        limitPrice,
        timeInForce,
        expireTime: timeout === undefined ? undefined : time + timeout,
        clientOrderId: undefined,
      },
    });
    this.#submitted.set(order.orderId, { order, splits: [] });
    this.#now = time;
    this.#engine.add(order, time);
  }

  #note(event: OrderEvent, order: Order): void {
    const splits = this.#submitted.get(order.orderId)?.splits ?? [];
    if (event.type === 'filled') {
      if (++this.#splits > mostSplits) {
        throw new Failure(
          `There are more than ${mostSplits} splits in this: replay fewer files or smaller orders at once`,
        );
      }
      splits.push(event);
    }
    this.#submitted.set(order.orderId, { order, splits });
  }

  /** Nobody can be asked; but lines that came meanwhile show that no ticker was missed. */
  #confirmTicker(): void {
    const heardAt = this.#heardAt ?? -Infinity;
    if (this.#ticker === undefined || this.#now - heardAt > longestSilence) {
      this.#engine.noFreshTicker(this.#now);
    } else this.#engine.handleTicker({ ...this.#ticker, receivedTime: heardAt });
  }
}

/** When it is to be submitted. */
function timeOf({ at }: NumberedOrder): Micros {
  return at ?? -Infinity;
}

function byTime(a: NumberedOrder, b: NumberedOrder): number {
  const [first, second] = [timeOf(a), timeOf(b)];
  // Two that come before the first line are at minus infinity both: their difference is no number.
  return first === second ? a.number - b.number : first - second;
}
