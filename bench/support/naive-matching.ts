import type { BookTicker } from '../../src/domain/book-ticker.ts';
import type { Order } from '../../src/domain/order.ts';

/** What the sells get of a ticker, found the obvious way: all are looked at, and sorted by priority. */
export function naiveFills(orders: readonly Order[], ticker: BookTicker): number {
  const reached = orders
    .filter((order) => order.side === 'sell' && order.limitPrice <= ticker.bidPrice)
    .toSorted((a, b) => Number(a.limitPrice - b.limitPrice));
  let left = ticker.bidQuantity;
  let fills = 0;
  for (const order of reached) {
    if (left === 0n) break;
    left -= order.quantity < left ? order.quantity : left;
    fills++;
  }
  return fills;
}
