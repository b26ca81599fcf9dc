import type { Decimal } from '../base/decimal.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import { readDecimal, WireError } from './fields.ts';

type BestLevel = { readonly price: Decimal; readonly quantity: Decimal };

/**
 * The best level of an order book's side: `[["4.00000000","431.00000000"]]`, price and quantity. A
 * side without levels displays nothing, as a book ticker says it with zeros.
 * @throws WireError
 */
export function readBestLevel(levels: unknown): BestLevel {
  if (!Array.isArray(levels)) throw new WireError('field', 'expected the levels of a book');
  const [best] = levels as readonly unknown[];
  if (best === undefined) return { price: 0n, quantity: 0n };
  const [price, quantity] = Array.isArray(best) ? (best as readonly unknown[]) : [];
  const fields = { price, quantity };
  return {
    price: readDecimal(fields, 'price', true),
    quantity: readDecimal(fields, 'quantity', true),
  };
}

/** The book ticker of a book's two best levels. */
export function bookTickerOf(
  told: Pick<BookTicker, 'instrument' | 'updateId' | 'receivedTime'>,
  bid: BestLevel,
  ask: BestLevel,
): BookTicker {
  return {
    type: 'bookTicker',
    instrument: told.instrument,
    updateId: told.updateId,
    bidPrice: bid.price,
    bidQuantity: bid.quantity,
    askPrice: ask.price,
    askQuantity: ask.quantity,
    receivedTime: told.receivedTime,
  };
}
