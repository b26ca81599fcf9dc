import type { BookTicker } from '../../domain/book-ticker.ts';
import type { Trade } from '../../domain/trade.ts';
import {
  isPossibleDelay,
  readDecimal,
  readId,
  readIsoTime,
  readSide,
  WireError,
} from '../fields.ts';
import type { Fields, ReadContext } from '../fields.ts';

// Documented at docs.cdp.coinbase.com/exchange/websocket-feed/channels and, for REST,
// docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-trades.

/**
 * `matches`: a trade.
 *
 *     {"type":"match","trade_id":10,"sequence":50,"maker_order_id":"ac928c66-ca53-498f-9c13-a110027a60e8",
 *      "taker_order_id":"132fb6ae-456b-4654-b4e0-d681ac05cea1","time":"2014-11-07T08:19:27.028459Z",
 *      "product_id":"BTC-USD","size":"5.23512","price":"400.23","side":"sell"}
 *
 * @throws WireError
 */
export function readMatch(fields: Fields, context: ReadContext): Trade {
  const trade = readTrade(fields, context);
  if (!isPossibleDelay(trade.exchangeTime, context.receivedTime)) {
    throw new WireError('time', 'time: expected a time of at most 10 minutes ago');
  }
  return trade;
}

/**
 * A row of `/products/{id}/trades`, and what a match has in common with it.
 *
 *     {"time":"2014-11-07T22:19:28.578544Z","trade_id":74,"price":"10.00000000","size":"0.01000000","side":"buy"}
 *
 * side: the maker's, so that the taker is the other one.
 * @throws WireError
 */
export function readTrade(fields: Fields, context: ReadContext): Trade {
  const id = readId(fields, 'trade_id');
  return {
    type: 'trade',
    instrument: context.instrument,
    id,
    price: readDecimal(fields, 'price', false),
    quantity: readDecimal(fields, 'size', false),
    takerSide: readSide(fields, 'side') === 'buy' ? 'sell' : 'buy',
    exchangeTime: readIsoTime(fields, 'time', context),
    eventTime: undefined,
    receivedTime: context.receivedTime,
    firstTradeId: id,
    lastTradeId: id,
  };
}

/**
 * `ticker`: the best bid and ask after a match. Between matches it says nothing, so that it may be
 * older than the book; the channel that would show every change brings whole depths instead.
 *
 *     {"type":"ticker","sequence":37475248783,"product_id":"ETH-USD","price":"1285.22",…,
 *      "best_bid":"1285.04","best_bid_size":"0.46688654","best_ask":"1285.27","best_ask_size":"1.56637040",
 *      "side":"buy","time":"2022-10-19T23:28:22.061769Z","trade_id":370843401,"last_size":"11.4396987"}
 *
 * sequence: that of the product's messages, which rises with every change of its book.
 * @throws WireError
 */
export function readTicker(fields: Fields, { instrument, receivedTime }: ReadContext): BookTicker {
  return {
    type: 'bookTicker',
    instrument,
    updateId: readId(fields, 'sequence'),
    bidPrice: readDecimal(fields, 'best_bid', true),
    bidQuantity: readDecimal(fields, 'best_bid_size', true),
    askPrice: readDecimal(fields, 'best_ask', true),
    askQuantity: readDecimal(fields, 'best_ask_size', true),
    receivedTime,
  };
}
