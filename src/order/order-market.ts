import type { BookTicker } from '../domain/book-ticker.ts';
import type { InstrumentLimits, InstrumentName } from '../domain/instrument.ts';

/** What is known of an instrument's best bid and ask. */
export type MarketTicker =
  /** Its connection delivers, and nothing was missed since. */
  | { readonly type: 'good'; readonly ticker: BookTicker }
  /** Connected, and none has come yet. */
  | { readonly type: 'awaited' }
  /** Why there is none, in words. */
  | { readonly type: 'lost'; readonly reason: string };

/** What orders ask of the market. */
export interface OrderMarket {
  tickerOf(instrument: InstrumentName): MarketTicker;
  /** The last one that was good, also where it is not any more. */
  lastTickerOf(instrument: InstrumentName): BookTicker | undefined;
  /** What is known by now of the instrument's order sizes. */
  limitsOf(instrument: InstrumentName): InstrumentLimits;
  /**
   * Asks the exchange for the present best bid and ask, within its budget; undefined where it cannot
   * tell. Never throws.
   */
  askTicker(instrument: InstrumentName): Promise<BookTicker | undefined>;
}
