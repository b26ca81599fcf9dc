import type { Micros } from '../base/clock.ts';
import { decimalScale, parseDecimal } from '../base/decimal.ts';
import type { Decimal, Product } from '../base/decimal.ts';
import { closeTimeOf, openTimeOf } from '../domain/timeframe.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import { isEarlier } from './tape.ts';
import type { Segment, Tape, TapeTrade } from './tape.ts';

/** An exchange's own candle. It is made from the raw trades, never by the code that it checks. */
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
  /** Single trades; 0 in a flat kline. */
  readonly tradeCount: number;
  readonly takerBuyVolume: Decimal;
  readonly takerBuyQuoteVolume: Product;
  /** Ids of single trades; -1 in a flat kline. */
  readonly firstTradeId: number;
  readonly lastTradeId: number;
};

/** A run of trades within a kline, first to last in order of (time, id). */
type Part = {
  readonly first: TapeTrade;
  readonly last: TapeTrade;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly volume: Decimal;
  readonly quoteVolume: Product;
  readonly tradeCount: number;
  readonly takerBuyVolume: Decimal;
  readonly takerBuyQuoteVolume: Product;
};

/**
 * The kline that `time` falls into, from what has been sent until `now`. Undefined where it ends
 * before the symbol's first trade: an exchange has no kline before that.
 */
export function klineAt(
  tape: Tape,
  timeframe: Timeframe,
  time: Micros,
  now: Micros,
): Kline | undefined {
  const openTime = openTimeOf(timeframe, time);
  const closeTime = closeTimeOf(timeframe, openTime);
  const parts = [
    ...tape.segments(now).map((segment) => partOfSegment(tape, segment, openTime, closeTime)),
    ...tape.injected
      .filter((trade) => trade.time >= openTime && trade.time < closeTime)
      .map(partOfTrade),
  ].filter((part) => part !== undefined);
  if (parts.length === 0) return flatKline(tape, openTime, closeTime, now);
  const all = parts.reduce(joinParts);
  return {
    openTime,
    closeTime,
    open: parseDecimal(all.first.price),
    high: all.high,
    low: all.low,
    close: parseDecimal(all.last.price),
    volume: all.volume,
    quoteVolume: all.quoteVolume,
    tradeCount: all.tradeCount,
    takerBuyVolume: all.takerBuyVolume,
    takerBuyQuoteVolume: all.takerBuyQuoteVolume,
    firstTradeId: all.first.firstTradeId,
    lastTradeId: all.last.lastTradeId,
  };
}

/** Without a trade a kline stands at the last price before it. */
function flatKline(
  tape: Tape,
  openTime: Micros,
  closeTime: Micros,
  now: Micros,
): Kline | undefined {
  const price = tape.lastPriceBefore(openTime, now);
  if (price === undefined) return undefined;
  const close = parseDecimal(price);
  return {
    openTime,
    closeTime,
    open: close,
    high: close,
    low: close,
    close,
    volume: 0n,
    quoteVolume: 0n,
    tradeCount: 0,
    takerBuyVolume: 0n,
    takerBuyQuoteVolume: 0n,
    firstTradeId: -1,
    lastTradeId: -1,
  };
}

function partOfSegment(
  tape: Tape,
  segment: Segment,
  openTime: Micros,
  closeTime: Micros,
): Part | undefined {
  const { market } = tape;
  const from = Math.max(segment.from, market.tradesBefore(openTime));
  const to = Math.min(segment.to, market.tradesBefore(closeTime));
  if (from >= to) return undefined;
  const tick = 10n ** BigInt(decimalScale - market.profile.tickDecimals);
  const lot = 10n ** BigInt(decimalScale - market.profile.lotDecimals);
  const sum = market.sum(from, to);
  const first = tape.told(from, segment);
  const last = tape.told(to - 1, segment);
  return {
    first,
    last,
    high: BigInt(sum.high) * tick,
    low: BigInt(sum.low) * tick,
    volume: sum.lots * lot,
    quoteVolume: sum.tickLots * tick * lot,
    tradeCount: last.lastTradeId - first.firstTradeId + 1,
    takerBuyVolume: sum.boughtLots * lot,
    takerBuyQuoteVolume: sum.boughtTickLots * tick * lot,
  };
}

function partOfTrade(trade: TapeTrade): Part {
  const price = parseDecimal(trade.price);
  const volume = parseDecimal(trade.quantity);
  return {
    first: trade,
    last: trade,
    high: price,
    low: price,
    volume,
    quoteVolume: price * volume,
    tradeCount: trade.lastTradeId - trade.firstTradeId + 1,
    takerBuyVolume: trade.isTakerSell ? 0n : volume,
    takerBuyQuoteVolume: trade.isTakerSell ? 0n : price * volume,
  };
}

function joinParts(a: Part, b: Part): Part {
  return {
    first: isEarlier(b.first, a.first) ? b.first : a.first,
    last: isEarlier(a.last, b.last) ? b.last : a.last,
    high: a.high > b.high ? a.high : b.high,
    low: a.low < b.low ? a.low : b.low,
    volume: a.volume + b.volume,
    quoteVolume: a.quoteVolume + b.quoteVolume,
    tradeCount: a.tradeCount + b.tradeCount,
    takerBuyVolume: a.takerBuyVolume + b.takerBuyVolume,
    takerBuyQuoteVolume: a.takerBuyQuoteVolume + b.takerBuyQuoteVolume,
  };
}
