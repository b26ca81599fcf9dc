import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import { splitInstrumentName } from '../domain/instrument.ts';
import type { InstrumentLimits, InstrumentName } from '../domain/instrument.ts';
import type { ExchangeRest } from '../exchange/exchange.ts';
import type { Market } from '../market/market.ts';
import type { MarketTicker, OrderMarket } from '../order/order-market.ts';

export type MarketOfOrdersOptions = {
  readonly market: Pick<Market, 'bookTicker' | 'outageOf'>;
  readonly limitsOf: (instrument: InstrumentName) => InstrumentLimits | undefined;
  /** That of the instrument's exchange, where it is followed. */
  readonly restOf: (instrument: InstrumentName) => ExchangeRest | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
};

const nothingKnown: InstrumentLimits = {
  tickSize: undefined,
  lotSize: undefined,
  minimumNotional: undefined,
};

/** The market as orders see it. */
export class MarketOfOrders implements OrderMarket {
  readonly #options: MarketOfOrdersOptions;
  readonly #stop = new AbortController();
  /** When it was seen that something of an instrument was missed: tickers until then may be old. */
  readonly #missedAt = new Map<InstrumentName, Micros>();

  constructor(options: MarketOfOrdersOptions) {
    this.#options = options;
  }

  tickerOf(instrument: InstrumentName): MarketTicker {
    const { market } = this.#options;
    const reason = market.outageOf(instrument);
    if (reason !== undefined) return { type: 'lost', reason };
    const ticker = market.bookTicker(instrument);
    const missedAt = this.#missedAt.get(instrument) ?? -Infinity;
    if (ticker === undefined || ticker.receivedTime <= missedAt) return { type: 'awaited' };
    return { type: 'good', ticker };
  }

  lastTickerOf(instrument: InstrumentName): BookTicker | undefined {
    return this.#options.market.bookTicker(instrument);
  }

  limitsOf(instrument: InstrumentName): InstrumentLimits {
    return this.#options.limitsOf(instrument) ?? nothingKnown;
  }

  async askTicker(instrument: InstrumentName): Promise<BookTicker | undefined> {
    const { restOf, logger } = this.#options;
    const { symbol } = splitInstrumentName(instrument);
    try {
      return await restOf(instrument)?.bookTicker?.(symbol, this.#stop.signal);
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        logger.warn({ err: error, instrument }, 'The exchange did not tell a fresh book ticker');
      }
      return undefined;
    }
  }

  /** Something that the connection should have delivered is missing: book tickers may be, too. */
  noteMissed(instrument: InstrumentName): void {
    this.#missedAt.set(instrument, this.#options.clock.now());
  }

  /** Asks no more. */
  [Symbol.dispose](): void {
    this.#stop.abort();
  }
}
