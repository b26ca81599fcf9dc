import type { Micros } from '../base/clock.ts';
import type { Decimal, Product } from '../base/decimal.ts';

/** A candle as the exchange itself makes it. What its trades' ids are it does not say. */
export type Kline = {
  readonly openTime: Micros;
  /** The first instant after it. */
  readonly closeTime: Micros;
  readonly open: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly close: Decimal;
  readonly volume: Decimal;
  readonly quoteVolume: Product;
  readonly takerBuyVolume: Decimal;
  readonly takerBuyQuoteVolume: Product;
  /** Single trades; 0 where it is flat. */
  readonly tradeCount: number;
};
