import type { Clock } from '../../base/clock.ts';
import { divideHalfEven } from '../../base/decimal.ts';
import type { Decimal, Product } from '../../base/decimal.ts';
import type { BookTicker } from '../../domain/book-ticker.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { Position } from '../../domain/position.ts';

/** A book ticker that is older says nothing about now. */
const freshMicros = 10_000_000;

export type PositionMark = {
  readonly markPrice: Decimal;
  readonly unrealizedProfit: Product;
  readonly ticker: BookTicker;
};

export type PositionMarksOptions = {
  readonly bookTicker: (instrument: InstrumentName) => BookTicker | undefined;
  readonly clock: Clock;
};

/** Tells what positions are worth, by the mid of their instrument's best bid and ask. */
export class PositionMarks {
  readonly #options: PositionMarksOptions;

  constructor(options: PositionMarksOptions) {
    this.#options = options;
  }

  /** undefined where the position is flat, or there is no fresh and sound ticker. */
  mark({ instrument, quantity, cost }: Position): PositionMark | undefined {
    if (quantity === 0n) return undefined;
    const { bookTicker, clock } = this.#options;
    const ticker = bookTicker(instrument);
    if (ticker === undefined || clock.now() - ticker.receivedTime > freshMicros) return undefined;
    const { bidPrice, askPrice } = ticker;
    if (bidPrice <= 0n || askPrice < bidPrice) return undefined;
    const markPrice = divideHalfEven(bidPrice + askPrice, 2n);
    return { markPrice, unrealizedProfit: quantity * markPrice - cost, ticker };
  }
}
