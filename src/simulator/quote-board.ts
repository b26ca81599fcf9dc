import type { Micros } from '../base/clock.ts';
import { countText } from './count-text.ts';
import type { Quote, SymbolMarket } from './symbol-market.ts';

/** The best bid and ask as they are told to clients. */
export type ShownQuote = {
  readonly updateId: number;
  readonly bidPrice: string;
  readonly bidQuantity: string;
  readonly askPrice: string;
  readonly askQuantity: string;
};

/**
 * The best bid and ask of one symbol as the world sees them: the generated market's; while that is
 * paused the last one before it, or the last one injected. Afterwards the generated ones follow
 * again, their update ids lifted above the highest one seen where they would have gone back.
 */
export class QuoteBoard {
  readonly #market: SymbolMarket;
  #isPaused = false;
  /** What is shown until the generated market's next quote. */
  #held: ShownQuote | undefined;
  /** How many generated quotes were over when the held one was shown. */
  #heldAfter = 0;
  #lift = 0;
  #highestUpdateId = 0;

  constructor(market: SymbolMarket) {
    this.#market = market;
  }

  pause(now: Micros): void {
    if (this.#isPaused) return;
    this.#held = this.at(now);
    this.#highestUpdateId = Math.max(this.#highestUpdateId, this.#held?.updateId ?? 0);
    this.#isPaused = true;
  }

  resume(now: Micros): void {
    this.#isPaused = false;
    this.#heldAfter = this.#market.quotesBy(now);
    this.#lift = Math.max(0, this.#highestUpdateId - this.#heldAfter);
  }

  /** Shows a quote of the caller's instead of the paused market's. */
  inject(quote: ShownQuote): void {
    this.#held = quote;
    this.#highestUpdateId = Math.max(this.#highestUpdateId, quote.updateId);
  }

  /** What is shown at `now`; undefined before the market's first quote. */
  at(now: Micros): ShownQuote | undefined {
    const count = this.#market.quotesBy(now);
    if (this.#isPaused || (this.#held !== undefined && count === this.#heldAfter))
      return this.#held;
    return count === 0 ? undefined : this.#told(this.#market.quote(count - 1));
  }

  /** The generated quotes within (from, to], in order. */
  between(from: Micros, to: Micros): readonly (ShownQuote & { readonly time: Micros })[] {
    if (this.#isPaused) return [];
    const quotes: (ShownQuote & { time: Micros })[] = [];
    const end = this.#market.quotesBy(to);
    for (let number = this.#market.quotesBy(from); number < end; number++) {
      const quote = this.#market.quote(number);
      quotes.push({ ...this.#told(quote), time: quote.time });
    }
    return quotes;
  }

  #told(quote: Quote): ShownQuote {
    const { tickDecimals, lotDecimals } = this.#market.profile;
    return {
      updateId: quote.updateId + this.#lift,
      bidPrice: countText(quote.bidPrice, tickDecimals),
      bidQuantity: countText(quote.bidLots, lotDecimals),
      askPrice: countText(quote.askPrice, tickDecimals),
      askQuantity: countText(quote.askLots, lotDecimals),
    };
  }
}
