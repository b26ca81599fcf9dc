import { formatDecimal, formatProduct } from '../base/decimal.ts';
import type { Candle } from '../domain/candle.ts';
import { splitInstrumentName } from '../domain/instrument.ts';
import { csvLine } from './csv.ts';
import type { Field } from './csv.ts';
import { formatTime } from './rfc3339.ts';

/** What a candle is to programs: the columns of CSV and, under the same names, the fields of JSON. */
const fields: Readonly<Record<string, (candle: Candle) => Field>> = {
  exchange: ({ instrument }) => splitInstrumentName(instrument).exchange ?? '',
  symbol: ({ instrument }) => splitInstrumentName(instrument).symbol,
  timeframe: ({ timeframe }) => timeframe,
  open_time: ({ openTime }) => formatTime(openTime),
  open: ({ open }) => formatDecimal(open),
  high: ({ high }) => formatDecimal(high),
  low: ({ low }) => formatDecimal(low),
  close: ({ close }) => formatDecimal(close),
  volume: ({ volume }) => formatDecimal(volume),
  quote_volume: ({ quoteVolume }) => formatProduct(quoteVolume),
  trade_count: ({ tradeCount }) => tradeCount,
  closed: ({ isClosed }) => isClosed,
  complete: ({ isComplete }) => isComplete,
  partial: ({ isPartial }) => isPartial,
  revision: ({ revision }) => revision,
  close_time: ({ closeTime }) => formatTime(closeTime),
  taker_buy_volume: ({ takerBuyVolume }) => formatDecimal(takerBuyVolume),
  taker_buy_quote_volume: ({ takerBuyQuoteVolume }) => formatProduct(takerBuyQuoteVolume),
  price_sum: ({ priceSum }) => (priceSum === undefined ? undefined : formatDecimal(priceSum)),
  first_trade_id: ({ firstTradeId }) => firstTradeId,
  last_trade_id: ({ lastTradeId }) => lastTradeId,
  source: ({ source }) => source,
};

export const candleCsvHeader: string = csvLine(Object.keys(fields));

/** One line of CSV under `candleCsvHeader`. */
export function candleToCsv(candle: Candle): string {
  return csvLine(Object.values(fields).map((field) => field(candle)));
}

/** One JSON object in a line. Decimals are strings, because a JSON number is a float to most. */
export function candleToJson(candle: Candle): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field(candle)])),
  );
}
