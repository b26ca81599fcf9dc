import type { Micros } from '../../base/clock.ts';
import type { BookTicker } from '../../domain/book-ticker.ts';
import type { Trade } from '../../domain/trade.ts';
import {
  isPossibleDelay,
  readBoolean,
  readDecimal,
  readId,
  readTime,
  WireError,
} from '../fields.ts';
import type { Fields, ReadContext } from '../fields.ts';

// Documented in binance/binance-spot-api-docs: web-socket-streams.md and, for REST, rest-api.md.

/** No taker order meets this many resting ones; a wider range would only inflate trade counts. */
const mostTradesOfOneOrder = 1_000_000;

/**
 * `@aggTrade`: the trades of one taker order at one price.
 *
 *     {"e":"aggTrade","E":1672515782136,"s":"BNBBTC","a":12345,"p":"0.001","q":"100",
 *      "f":100,"l":105,"T":1672515782136,"m":true,"M":true}
 *
 * a: its id · f … l: the single trades · m: the buyer is the maker, so the taker sold · M: nothing.
 * A row of `/api/v3/aggTrades` is the same without e, E and s.
 * @throws WireError
 */
export function readAggTrade(
  fields: Fields,
  context: ReadContext,
  eventTime: Micros | undefined,
): Trade {
  const firstTradeId = readId(fields, 'f');
  const lastTradeId = readId(fields, 'l');
  if (!isTradeRange(firstTradeId, lastTradeId)) {
    throw new WireError(
      'field',
      `f, l: expected a range of ids, got ${firstTradeId}, ${lastTradeId}`,
    );
  }
  return readPrint(fields, context, {
    id: readId(fields, 'a'),
    firstTradeId,
    lastTradeId,
    eventTime,
  });
}

export function isTradeRange(firstTradeId: number, lastTradeId: number): boolean {
  return firstTradeId <= lastTradeId && lastTradeId - firstTradeId < mostTradesOfOneOrder;
}

/**
 * `@trade`: a single trade.
 *
 *     {"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345,"p":"0.001","q":"100",
 *      "T":1672515782136,"m":true,"M":true}
 *
 * @throws WireError
 */
export function readSingleTrade(
  fields: Fields,
  context: ReadContext,
  eventTime: Micros | undefined,
): Trade {
  const id = readId(fields, 't');
  return readPrint(fields, context, { id, firstTradeId: id, lastTradeId: id, eventTime });
}

function readPrint(
  fields: Fields,
  context: ReadContext,
  known: Pick<Trade, 'id' | 'firstTradeId' | 'lastTradeId' | 'eventTime'>,
): Trade {
  const exchangeTime = readTime(fields, 'T', context);
  const { eventTime } = known;
  if (eventTime !== undefined && !isPossibleDelay(exchangeTime, eventTime)) {
    throw new WireError('time', 'T: expected a time of at most 10 minutes before E');
  }
  return {
    type: 'trade',
    instrument: context.instrument,
    id: known.id,
    price: readDecimal(fields, 'p', false),
    quantity: readDecimal(fields, 'q', false),
    takerSide: readBoolean(fields, 'm') ? 'sell' : 'buy',
    exchangeTime,
    eventTime,
    receivedTime: context.receivedTime,
    firstTradeId: known.firstTradeId,
    lastTradeId: known.lastTradeId,
  };
}

/**
 * `@bookTicker`: the best bid and ask, without a time and without a name of its kind.
 *
 *     {"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}
 *
 * u: the order book's update id · b, B: bid price and quantity · a, A: ask. An empty side is "0.00000000".
 * @throws WireError
 */
export function readBookTicker(
  fields: Fields,
  { instrument, receivedTime }: ReadContext,
): BookTicker {
  return {
    type: 'bookTicker',
    instrument,
    updateId: readId(fields, 'u'),
    bidPrice: readDecimal(fields, 'b', true),
    bidQuantity: readDecimal(fields, 'B', true),
    askPrice: readDecimal(fields, 'a', true),
    askQuantity: readDecimal(fields, 'A', true),
    receivedTime,
  };
}
