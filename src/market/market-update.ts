import type { BookTicker } from '../domain/book-ticker.ts';
import type { Candle } from '../domain/candle.ts';
import type { Gap } from '../domain/gap.ts';
import type { Trade } from '../domain/trade.ts';

/** A new version of a candle: open, closed or revised. */
export type CandleUpdate = { readonly type: 'candle'; readonly candle: Candle };

/** What the market tells the rest, in the order in which it happened. */
export type MarketUpdate = CandleUpdate | Gap | Trade | BookTicker;

/** Takes updates synchronously. */
export type MarketUpdateHandler = (update: MarketUpdate) => void;
