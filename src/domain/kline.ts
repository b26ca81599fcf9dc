import type { Candle } from './candle.ts';

/** A candle as the exchange itself makes it: it does not tell the ids and the price sum. */
export type Kline = Pick<
  Candle,
  | 'openTime'
  | 'closeTime'
  | 'open'
  | 'high'
  | 'low'
  | 'close'
  | 'volume'
  | 'quoteVolume'
  | 'takerBuyVolume'
  | 'takerBuyQuoteVolume'
  | 'tradeCount'
>;
