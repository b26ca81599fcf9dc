/**
 * The obvious candles: all trades of an instrument are there, sorted, and each candle is computed
 * from those that fall into it. Slow, and it imports nothing of the engine.
 */
export type ModelTrade = {
  readonly id: number;
  /** µs */
  readonly time: number;
  /** in 10^-18 */
  readonly price: bigint;
  readonly quantity: bigint;
  readonly isBuyerTaker: boolean;
  readonly firstTradeId: number;
  readonly lastTradeId: number;
};

export type ModelCandle = {
  readonly timeframe: string;
  readonly openTime: number;
  readonly closeTime: number;
  readonly open: bigint;
  readonly high: bigint;
  readonly low: bigint;
  readonly close: bigint;
  readonly volume: bigint;
  readonly quoteVolume: bigint;
  readonly takerBuyVolume: bigint;
  readonly takerBuyQuoteVolume: bigint;
  readonly tradeCount: number;
  readonly priceSum: bigint;
  readonly firstTradeId: number | undefined;
  readonly lastTradeId: number | undefined;
  readonly isComplete: boolean;
  readonly isPartial: boolean;
  /**
   * A candle without trades in a span where some are missing: whether there is one depends on when
   * that became known. If there is one, it is not complete.
   */
  readonly isOptional: boolean;
};

const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
export const modelTimeframes = '1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M'.split(' ');

/** The first instant of the candle that `time` falls into, and the first one after it. */
export function bounds(timeframe: string, time: number): [number, number] {
  const date = new Date(Math.floor(time / 1000));
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  if (timeframe === '1M')
    return [Date.UTC(year, month, 1) * 1000, Date.UTC(year, month + 1, 1) * 1000];
  if (timeframe === '1w') {
    const daysSinceMonday = (date.getUTCDay() + 6) % 7;
    const monday = date.getUTCDate() - daysSinceMonday;
    return [Date.UTC(year, month, monday) * 1000, Date.UTC(year, month, monday + 7) * 1000];
  }
  const length = Number.parseInt(timeframe, 10) * (units[timeframe.slice(-1)] ?? Number.NaN) * 1e6;
  const open = time - (((time % length) + length) % length);
  return [open, open + length];
}

/**
 * All candles of `seen` that end at or before `closedThrough`. A first trade from before the second in
 * which the observation began was not seen but told: its price is known, but it is in no candle, and
 * candles begin with those in which the observation began.
 */
export function modelCandles(
  seen: readonly ModelTrade[],
  closedThrough: number,
  observedFrom?: number,
): ModelCandle[] {
  const trades = [...new Map(seen.map((trade) => [trade.id, trade])).values()];
  trades.sort((a, b) => a.time - b.time || a.id - b.id);
  const first = trades[0];
  if (first === undefined) return [];
  const byId = trades.toSorted((a, b) => a.id - b.id);
  const holes = byId
    .slice(1)
    .map((trade, index) => ({ before: byId[index] ?? trade, after: trade }))
    .filter(({ before, after }) => after.id > before.id + 1);
  return modelTimeframes.flatMap((timeframe) => {
    const candles: ModelCandle[] = [];
    let [open, close] = bounds(timeframe, observedFrom ?? first.time);
    let previousClose = first.price;
    const isTold = observedFrom !== undefined && first.time < Math.floor(observedFrom / 1e6) * 1e6;
    let next = isTold ? 1 : 0;
    while (close <= closedThrough) {
      const inside: ModelTrade[] = [];
      for (
        let trade = trades[next];
        trade !== undefined && trade.time < close;
        trade = trades[++next]
      ) {
        inside.push(trade);
      }
      const isMissing = holes.some(
        ({ before, after }) => before.time < close && after.time >= open,
      );
      const last = inside.at(-1);
      const sum = (value: (trade: ModelTrade) => bigint, of = inside) =>
        of.reduce((total, trade) => total + value(trade), 0n);
      const bought = inside.filter((trade) => trade.isBuyerTaker);
      const prices = inside.map(({ price }) => price).toSorted((a, b) => (a < b ? -1 : 1));
      candles.push({
        timeframe,
        openTime: open,
        closeTime: close,
        open: inside[0]?.price ?? previousClose,
        high: prices.at(-1) ?? previousClose,
        low: prices[0] ?? previousClose,
        close: last?.price ?? previousClose,
        volume: sum(({ quantity }) => quantity),
        quoteVolume: sum(({ price, quantity }) => price * quantity),
        takerBuyVolume: sum(({ quantity }) => quantity, bought),
        takerBuyQuoteVolume: sum(({ price, quantity }) => price * quantity, bought),
        tradeCount: inside.reduce(
          (count, { firstTradeId: f, lastTradeId: l }) => count + l - f + 1,
          0,
        ),
        priceSum: sum(({ price, firstTradeId: f, lastTradeId: l }) => price * BigInt(l - f + 1)),
        firstTradeId: last && Math.min(...inside.map(({ firstTradeId }) => firstTradeId)),
        lastTradeId: last && Math.max(...inside.map(({ lastTradeId }) => lastTradeId)),
        isComplete: !isMissing,
        isPartial: open <= first.time,
        isOptional: isMissing && last === undefined,
      });
      if (last !== undefined) previousClose = last.price;
      [open, close] = bounds(timeframe, close);
    }
    return candles;
  });
}
