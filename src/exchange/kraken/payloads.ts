import type { Decimal } from '../../base/decimal.ts';
import { ExactNumber } from '../../base/exact-json.ts';
import type { BookTicker } from '../../domain/book-ticker.ts';
import type { Trade } from '../../domain/trade.ts';
import { expected, isPossibleDelay, readIsoTime, readSide, WireError } from '../fields.ts';
import type { Fields, ReadContext } from '../fields.ts';

// Documented at docs.kraken.com/exchange/api-reference/spot-websocket-v2/{trade,ticker}.

/**
 * `trade`, one of those in a frame; they need not be of one taker.
 *
 *     {"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":105944.20,
 *      "qty":0.00027625,"ord_type":"limit","trade_id":10218208,"timestamp":"2023-10-06T17:35:55.440295Z"}]}
 *
 * side: the taker's.
 * @throws WireError
 */
export function readTrade(fields: Fields, context: ReadContext): Trade {
  const id = readExactId(fields, 'trade_id');
  const exchangeTime = readIsoTime(fields, 'timestamp', context);
  if (!isPossibleDelay(exchangeTime, context.receivedTime)) {
    throw new WireError('time', 'timestamp: expected a time of at most 10 minutes ago');
  }
  return {
    type: 'trade',
    instrument: context.instrument,
    id,
    price: readExactDecimal(fields, 'price', false),
    quantity: readExactDecimal(fields, 'qty', false),
    takerSide: readSide(fields, 'side'),
    exchangeTime,
    eventTime: undefined,
    receivedTime: context.receivedTime,
    firstTradeId: id,
    lastTradeId: id,
  };
}

/**
 * `ticker`: the best bid and ask, and the day's statistics. The timestamp came later than the rest
 * and is not relied on: without it, the time is that of its receipt.
 *
 *     {"channel":"ticker","type":"update","data":[{"symbol":"ALGO/USD","bid":0.10025,"bid_qty":740.0,
 *      "ask":0.10036,"ask_qty":1361.44813783,"last":0.10035,"volume":997038.98383185,"vwap":0.10148,…,
 *      "timestamp":"2023-09-25T09:04:31.742648Z"}]}
 *
 * @throws WireError
 */
export function readTicker(
  fields: Fields,
  context: ReadContext,
  nextUpdateId: (time: number) => number,
): BookTicker {
  const { instrument, receivedTime } = context;
  const isTimed = fields.timestamp !== undefined;
  const time = isTimed ? readIsoTime(fields, 'timestamp', context) : receivedTime;
  const prices = {
    bidPrice: readExactDecimal(fields, 'bid', true),
    bidQuantity: readExactDecimal(fields, 'bid_qty', true),
    askPrice: readExactDecimal(fields, 'ask', true),
    askQuantity: readExactDecimal(fields, 'ask_qty', true),
  };
  return { type: 'bookTicker', instrument, updateId: nextUpdateId(time), ...prices, receivedTime };
}

function readExactDecimal(fields: Fields, key: string, isZeroAllowed: boolean): Decimal {
  const value = fields[key];
  if (!(value instanceof ExactNumber)) throw expected(key, 'a number', value);
  let decimal: Decimal;
  try {
    ({ decimal } = value);
  } catch {
    throw expected(key, 'a number from 0 with at most 15 digits and 18 decimals', value);
  }
  if (decimal === 0n && !isZeroAllowed) throw expected(key, 'more than 0', value);
  return decimal;
}

function readExactId(fields: Fields, key: string): number {
  const value = fields[key];
  const id = value instanceof ExactNumber ? value.integer : undefined;
  if (id === undefined) throw expected(key, 'an integer from 0 to 2^53 - 1', value);
  return id;
}
