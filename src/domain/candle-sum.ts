import type { Micros } from '../base/clock.ts';
import type { Decimal, Product } from '../base/decimal.ts';
import type { Candle, CandleSource } from './candle.ts';
import type { Kline } from './kline.ts';
import type { Trade } from './trade.ts';

/**
 * What a candle sums up, as a commutative monoid: the empty sum changes nothing, and sums merged in
 * any order and any grouping give the same. That holds because open and close carry the place of
 * their trade, (time, id); so reordering, late trades, roll-up, gap filling and statistics are all
 * `merge`. It is mutable: it stands on the hot path, where a copy a trade would be the largest cost.
 */
export class CandleSum {
  /** The number of single trades; 0 means empty, and then no other field means anything. */
  tradeCount = 0;
  openTradeTime: Micros = 0;
  openTradeId = 0;
  closeTradeTime: Micros = 0;
  closeTradeId = 0;
  open: Decimal = 0n;
  high: Decimal = 0n;
  low: Decimal = 0n;
  close: Decimal = 0n;
  volume: Decimal = 0n;
  quoteVolume: Product = 0n;
  takerBuyVolume: Decimal = 0n;
  takerBuyQuoteVolume: Product = 0n;
  /** The sum over the prints of price × single trades. */
  priceSum: Decimal = 0n;
  firstTradeId = 0;
  lastTradeId = 0;
  source: CandleSource = 'trades';

  /**
   * The sum that a whole candle from elsewhere stands for. A kline does not tell ids and prices: what
   * it is merged into has no price sum and no ids any more.
   */
  static of(candle: Kline | Candle): CandleSum {
    const sum = new CandleSum();
    const isFromTrades = 'source' in candle && candle.source === 'trades';
    sum.tradeCount = candle.tradeCount;
    sum.openTradeTime = candle.openTime;
    sum.closeTradeTime = candle.closeTime - 1;
    sum.open = candle.open;
    sum.high = candle.high;
    sum.low = candle.low;
    sum.close = candle.close;
    sum.volume = candle.volume;
    sum.quoteVolume = candle.quoteVolume;
    sum.takerBuyVolume = candle.takerBuyVolume;
    sum.takerBuyQuoteVolume = candle.takerBuyQuoteVolume;
    sum.priceSum = (isFromTrades ? candle.priceSum : undefined) ?? 0n;
    sum.firstTradeId = (isFromTrades ? candle.firstTradeId : undefined) ?? Infinity;
    sum.lastTradeId = (isFromTrades ? candle.lastTradeId : undefined) ?? -Infinity;
    sum.source = isFromTrades ? 'trades' : 'klines';
    return sum;
  }

  /** Adds one trade. */
  add(trade: Trade): void {
    const { price, quantity, exchangeTime: time, id, firstTradeId, lastTradeId } = trade;
    const count = lastTradeId - firstTradeId + 1;
    const notional = price * quantity;
    this.#span(time, id, price, time, id, price, price, price, firstTradeId, lastTradeId);
    this.tradeCount += count;
    this.volume += quantity;
    this.quoteVolume += notional;
    if (trade.takerSide === 'buy') {
      this.takerBuyVolume += quantity;
      this.takerBuyQuoteVolume += notional;
    }
    this.priceSum += count === 1 ? price : price * BigInt(count);
  }

  /** Adds all of another sum. */
  merge(other: CandleSum): void {
    if (other.tradeCount === 0) return;
    this.mergePrices(other);
    this.takerBuyVolume += other.takerBuyVolume;
    this.takerBuyQuoteVolume += other.takerBuyQuoteVolume;
  }

  /** Adds all of another sum but what its takers bought: statistics of prices do without. */
  mergePrices(other: CandleSum): void {
    if (other.tradeCount === 0) return;
    this.#span(
      other.openTradeTime,
      other.openTradeId,
      other.open,
      other.closeTradeTime,
      other.closeTradeId,
      other.close,
      other.high,
      other.low,
      other.firstTradeId,
      other.lastTradeId,
    );
    this.tradeCount += other.tradeCount;
    this.volume += other.volume;
    this.quoteVolume += other.quoteVolume;
    this.priceSum += other.priceSum;
    if (other.source === 'klines') this.source = 'klines';
  }

  /** Widens what is not a plain sum. */
  #span(
    openTime: Micros,
    openId: number,
    open: Decimal,
    closeTime: Micros,
    closeId: number,
    close: Decimal,
    high: Decimal,
    low: Decimal,
    firstTradeId: number,
    lastTradeId: number,
  ): void {
    if (this.tradeCount === 0) {
      this.openTradeTime = openTime;
      this.openTradeId = openId;
      this.open = open;
      this.closeTradeTime = closeTime;
      this.closeTradeId = closeId;
      this.close = close;
      this.high = high;
      this.low = low;
      this.firstTradeId = firstTradeId;
      this.lastTradeId = lastTradeId;
      return;
    }
    if (
      closeTime > this.closeTradeTime ||
      (closeTime === this.closeTradeTime && closeId > this.closeTradeId)
    ) {
      this.closeTradeTime = closeTime;
      this.closeTradeId = closeId;
      this.close = close;
    }
    if (
      openTime < this.openTradeTime ||
      (openTime === this.openTradeTime && openId < this.openTradeId)
    ) {
      this.openTradeTime = openTime;
      this.openTradeId = openId;
      this.open = open;
    }
    if (high > this.high) this.high = high;
    if (low < this.low) this.low = low;
    if (firstTradeId < this.firstTradeId) this.firstTradeId = firstTradeId;
    if (lastTradeId > this.lastTradeId) this.lastTradeId = lastTradeId;
  }
}
