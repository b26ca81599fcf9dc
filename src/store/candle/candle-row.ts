import type { Micros } from '../../base/clock.ts';
import { formatDecimal, formatProduct, parseProduct, parseSum } from '../../base/decimal.ts';
import type { Candle, CandleSource } from '../../domain/candle.ts';
import { instrumentName, splitInstrumentName } from '../../domain/instrument.ts';
import type { Timeframe } from '../../domain/timeframe.ts';
import { formatTimestamp } from '../timestamptz.ts';

/** A candle's columns as texts that Postgres reads, in the order of `candleColumns`. */
export type CandleRow = readonly string[];

/** Every column but recorded_at, with the type that its texts are read as. */
export const candleColumns = [
  ['exchange', 'text'],
  ['symbol', 'text'],
  ['timeframe', 'text'],
  ['open_time', 'timestamptz'],
  ['close_time', 'timestamptz'],
  ['open', 'numeric'],
  ['high', 'numeric'],
  ['low', 'numeric'],
  ['close', 'numeric'],
  ['volume', 'numeric'],
  ['quote_volume', 'numeric'],
  ['taker_buy_volume', 'numeric'],
  ['taker_buy_quote_volume', 'numeric'],
  ['price_sum', 'numeric'],
  ['trade_count', 'bigint'],
  ['first_trade_id', 'bigint'],
  ['last_trade_id', 'bigint'],
  ['complete', 'boolean'],
  ['partial', 'boolean'],
  ['revision', 'integer'],
  ['run', 'bigint'],
  ['source', 'text'],
] as const;

/**
 * @throws RangeError for a candle that is open, whose instrument has no exchange, or with a time
 * that is none
 */
export function candleToRow(candle: Candle): CandleRow {
  const { exchange, symbol } = splitInstrumentName(candle.instrument);
  if (exchange === undefined) {
    throw new RangeError(`Expected an instrument as exchange:SYMBOL, got ${candle.instrument}`);
  }
  if (!candle.isClosed) throw new RangeError('Expected a closed candle');
  return [
    exchange,
    symbol,
    candle.timeframe,
    formatTimestamp(candle.openTime),
    formatTimestamp(candle.closeTime),
    formatDecimal(candle.open),
    formatDecimal(candle.high),
    formatDecimal(candle.low),
    formatDecimal(candle.close),
    formatDecimal(candle.volume),
    formatProduct(candle.quoteVolume),
    formatDecimal(candle.takerBuyVolume),
    formatProduct(candle.takerBuyQuoteVolume),
    candle.priceSum === undefined ? 'NULL' : formatDecimal(candle.priceSum),
    String(candle.tradeCount),
    String(candle.firstTradeId ?? 'NULL'),
    String(candle.lastTradeId ?? 'NULL'),
    String(candle.isComplete),
    String(candle.isPartial),
    String(candle.revision),
    String(candle.run),
    candle.source,
  ];
}

/** A row of the table candle as the database gives it back. */
export type StoredCandle = {
  readonly exchange: string;
  readonly symbol: string;
  readonly timeframe: Timeframe;
  readonly open_time: Micros;
  readonly close_time: Micros;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly quote_volume: string;
  readonly taker_buy_volume: string;
  readonly taker_buy_quote_volume: string;
  readonly price_sum: string | null;
  readonly trade_count: number;
  readonly first_trade_id: number | null;
  readonly last_trade_id: number | null;
  readonly complete: boolean;
  readonly partial: boolean;
  readonly revision: number;
  readonly run: number;
  readonly source: CandleSource;
};

export function candleFromRow(row: StoredCandle): Candle {
  return {
    instrument: instrumentName(row.exchange, row.symbol),
    timeframe: row.timeframe,
    openTime: row.open_time,
    closeTime: row.close_time,
    open: parseSum(row.open),
    high: parseSum(row.high),
    low: parseSum(row.low),
    close: parseSum(row.close),
    volume: parseSum(row.volume),
    quoteVolume: parseProduct(row.quote_volume),
    takerBuyVolume: parseSum(row.taker_buy_volume),
    takerBuyQuoteVolume: parseProduct(row.taker_buy_quote_volume),
    tradeCount: row.trade_count,
    priceSum: row.price_sum === null ? undefined : parseSum(row.price_sum),
    firstTradeId: row.first_trade_id ?? undefined,
    lastTradeId: row.last_trade_id ?? undefined,
    isClosed: true,
    isComplete: row.complete,
    isPartial: row.partial,
    revision: row.revision,
    run: row.run,
    source: row.source,
  };
}
