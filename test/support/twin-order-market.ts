import type { BookTicker } from '../../src/domain/book-ticker.ts';
import type { InstrumentLimits, InstrumentName } from '../../src/domain/instrument.ts';
import type { MarketTicker, OrderMarket } from '../../src/order/order-market.ts';

/** A market that is what it is told to be. */
export class TwinOrderMarket implements OrderMarket {
  /** Why nothing is delivered; undefined while it is. */
  outage: string | undefined;
  /** What the exchange answers when it is asked; each question is counted. */
  answer: (instrument: InstrumentName) => BookTicker | undefined = () => undefined;
  asked = 0;
  limits: InstrumentLimits = {
    tickSize: undefined,
    lotSize: undefined,
    minimumNotional: undefined,
  };
  readonly #tickers = new Map<InstrumentName, BookTicker>();

  show(ticker: BookTicker): void {
    this.#tickers.set(ticker.instrument, ticker);
  }

  /** What was shown does not hold any more. */
  forget(): void {
    this.#tickers.clear();
  }

  tickerOf(instrument: InstrumentName): MarketTicker {
    if (this.outage !== undefined) return { type: 'lost', reason: this.outage };
    const ticker = this.#tickers.get(instrument);
    return ticker === undefined ? { type: 'awaited' } : { type: 'good', ticker };
  }

  lastTickerOf(instrument: InstrumentName): BookTicker | undefined {
    return this.#tickers.get(instrument);
  }

  limitsOf(): InstrumentLimits {
    return this.limits;
  }

  async askTicker(instrument: InstrumentName): Promise<BookTicker | undefined> {
    this.asked++;
    await Promise.resolve();
    return this.answer(instrument);
  }
}
