import type { Micros } from '../../src/base/clock.ts';
import { parseDecimal, parseProduct } from '../../src/base/decimal.ts';
import type { Candle } from '../../src/domain/candle.ts';

/** The most that one answer holds. */
const pageLength = 1000;

type Row = readonly [
  number,
  string,
  string,
  string,
  string,
  string,
  number,
  string,
  number,
  string,
  string,
];

/** A kline of the exchange, or the same of a candle: what both tell. */
export type Values = Readonly<Record<string, bigint | number>>;

/** What the exchange's own klines say that open within [from, to), by open time. */
export async function exchangeKlines(
  url: string,
  symbol: string,
  timeframe: '1s' | '1m',
  [from, to]: readonly [Micros, Micros],
): Promise<ReadonlyMap<Micros, Values>> {
  const klines = new Map<Micros, Values>();
  for (let start = from / 1000; start < to / 1000;) {
    const query = `symbol=${symbol}&interval=${timeframe}&startTime=${start}&limit=${pageLength}`;
    const response = await fetch(`${url}/api/v3/klines?${query}&endTime=${to / 1000 - 1}`);
    if (!response.ok) throw new Error(`No klines: HTTP ${response.status}`);
    const rows = (await response.json()) as readonly Row[];
    for (const row of rows) klines.set(row[0] * 1000, valuesOfRow(row));
    start = rows.length < pageLength ? to : (rows.at(-1)?.[6] ?? to) + 1;
  }
  return klines;
}

function valuesOfRow(row: Row): Values {
  const [, open, high, low, close, volume, , quoteVolume, tradeCount, bought, boughtQuote] = row;
  return {
    open: parseDecimal(open),
    high: parseDecimal(high),
    low: parseDecimal(low),
    close: parseDecimal(close),
    volume: parseDecimal(volume),
    quoteVolume: parseProduct(quoteVolume),
    tradeCount,
    takerBuyVolume: parseDecimal(bought),
    takerBuyQuoteVolume: parseProduct(boughtQuote),
  };
}

export function valuesOfCandle(candle: Candle): Values {
  const { open, high, low, close, volume, quoteVolume, tradeCount } = candle;
  const { takerBuyVolume, takerBuyQuoteVolume } = candle;
  const taken = { takerBuyVolume, takerBuyQuoteVolume };
  return { open, high, low, close, volume, quoteVolume, tradeCount, ...taken };
}
