import type { Decimal } from '../base/decimal.ts';
import { readDecimal, WireError } from './fields.ts';

/**
 * The best level of an order book's side: `[["4.00000000","431.00000000"]]`, price and quantity. A
 * side without levels displays nothing, as a book ticker says it with zeros.
 * @throws WireError
 */
export function readBestLevel(levels: unknown): {
  readonly price: Decimal;
  readonly quantity: Decimal;
} {
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
