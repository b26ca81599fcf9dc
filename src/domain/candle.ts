import type { Micros } from '../base/clock.ts';
import type { Decimal, Product } from '../base/decimal.ts';
import type { InstrumentName } from './instrument.ts';
import type { Timeframe } from './timeframe.ts';

/** What a candle was made from. */
export type CandleSource = 'trades' | 'klines';

/** One published version of a candle: it never changes. Fields as in tradewind.market.v1.Candle. */
export type Candle = {
  readonly instrument: InstrumentName;
  readonly timeframe: Timeframe;
  readonly openTime: Micros;
  /** The first instant after the candle. */
  readonly closeTime: Micros;
  readonly open: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly close: Decimal;
  readonly volume: Decimal;
  readonly quoteVolume: Product;
  readonly takerBuyVolume: Decimal;
  readonly takerBuyQuoteVolume: Product;
  /** Single trades. */
  readonly tradeCount: number;
  /** undefined in a candle made from klines: they do not tell it. */
  readonly priceSum: Decimal | undefined;
  /** Ids of single trades; undefined in a flat candle, and in one made from klines. */
  readonly firstTradeId: number | undefined;
  readonly lastTradeId: number | undefined;
  readonly isClosed: boolean;
  readonly isComplete: boolean;
  readonly isPartial: boolean;
  /** 0 while open, 1 at its close, one more with each later change. */
  readonly revision: number;
  /** The life of the server that made this version: its start. */
  readonly run: Micros;
  readonly source: CandleSource;
};

/**
 * Whether the trades came without quantities, as from exchanges that tell prices alone: the volumes
 * are 0 then, and mean nothing. Everybody else's trades have quantities above 0, so that it shows in
 * what is stored, too. To be asked of each exchange's sum: merged with another's it is hidden.
 */
export function lacksQuantities({
  tradeCount,
  volume,
}: Pick<Candle, 'tradeCount' | 'volume'>): boolean {
  return tradeCount > 0 && volume === 0n;
}

/** Orders versions of the same candle: positive when `a` is the better one. */
export function compareVersions(
  a: Pick<Candle, 'tradeCount' | 'run' | 'revision'>,
  b: Pick<Candle, 'tradeCount' | 'run' | 'revision'>,
): number {
  return a.tradeCount - b.tradeCount || a.run - b.run || a.revision - b.revision;
}
