import assert from 'node:assert/strict';
import type { Decimal } from '../base/decimal.ts';

/** What one side of the book displays, and how much of that all our orders have used. */
export class DisplayedLevel {
  price: Decimal = 0n;
  quantity: Decimal = 0n;
  consumed: Decimal = 0n;

  /** What is left for our orders. */
  get available(): Decimal {
    return this.quantity - this.consumed;
  }

  /** Any change makes all that is displayed now available; a repeat changes nothing. */
  display(price: Decimal, quantity: Decimal): void {
    if (this.consumed !== 0n && (price !== this.price || quantity !== this.quantity)) {
      this.consumed = 0n;
    }
    this.price = price;
    this.quantity = quantity;
  }

  use(quantity: Decimal): void {
    assert(quantity <= this.available, 'Displayed liquidity is used once');
    this.consumed += quantity;
  }

  /** Goes on where the log ends: the next display is compared with this one. */
  restore(price: Decimal, quantity: Decimal, consumed: Decimal): void {
    assert(consumed <= quantity, 'No more is used than was displayed');
    this.price = price;
    this.quantity = quantity;
    this.consumed = consumed;
  }
}
