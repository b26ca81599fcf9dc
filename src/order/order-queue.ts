import assert from 'node:assert/strict';
import type { OpenOrder } from './open-orders.ts';

/** Below 0 when `a` comes before `b`. Never 0 for two different orders. */
export type Precedence = (a: OpenOrder, b: OpenOrder) => number;

/**
 * Open orders in line by one rule. Whoever is first is at hand at no cost, however many there are.
 * An array in which the first is the last: filling takes from its end, and moving 10,000 pointers to
 * let one in costs less than any tree does.
 */
export class OrderQueue {
  first: OpenOrder | undefined = undefined;
  readonly #precedence: Precedence;
  readonly #backwards: OpenOrder[] = [];

  constructor(precedence: Precedence) {
    this.#precedence = precedence;
  }

  add(open: OpenOrder): void {
    this.#backwards.splice(this.#placeOf(open), 0, open);
    this.first = this.#backwards.at(-1);
  }

  remove(open: OpenOrder): void {
    if (open === this.first) this.#backwards.pop();
    else {
      const place = this.#placeOf(open);
      assert(this.#backwards[place] === open, 'Only who is in line leaves it');
      this.#backwards.splice(place, 1);
    }
    this.first = this.#backwards.at(-1);
  }

  /** The number of orders that come after it. */
  #placeOf(open: OpenOrder): number {
    let low = 0;
    let high = this.#backwards.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#backwards[middle];
      if (other !== undefined && this.#precedence(other, open) > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
