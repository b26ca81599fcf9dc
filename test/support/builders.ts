import { parseDecimal } from '../../src/base/decimal.ts';
import type { BookTicker } from '../../src/domain/book-ticker.ts';
import type { Trade } from '../../src/domain/trade.ts';

/** Noon of the first day of 2026, UTC, in µs: when the built things happen unless said otherwise. */
export const noon = Date.UTC(2026, 0, 1, 12) * 1000;

type TradeParts = Partial<Omit<Trade, 'type' | 'price' | 'quantity'>> & {
  readonly price?: string;
  readonly quantity?: string;
};

/** A trade; its id counts the single trade, too, and it is received as it happens. */
export function aTrade(parts: TradeParts = {}): Trade {
  const { price = '100', quantity = '1', id = 1, exchangeTime = noon, ...rest } = parts;
  return {
    type: 'trade',
    instrument: 'binance:BTCUSDT',
    id,
    price: parseDecimal(price),
    quantity: parseDecimal(quantity),
    takerSide: 'buy',
    exchangeTime,
    eventTime: exchangeTime,
    receivedTime: exchangeTime,
    firstTradeId: id,
    lastTradeId: id,
    ...rest,
  };
}

type BookTickerParts = Partial<
  Omit<BookTicker, 'type' | 'bidPrice' | 'bidQuantity' | 'askPrice' | 'askQuantity'>
> & {
  readonly bid?: readonly [price: string, quantity: string];
  readonly ask?: readonly [price: string, quantity: string];
};

export function aBookTicker(parts: BookTickerParts = {}): BookTicker {
  const { bid = ['99', '1'], ask = ['101', '1'], ...rest } = parts;
  return {
    type: 'bookTicker',
    instrument: 'binance:BTCUSDT',
    updateId: 1,
    bidPrice: parseDecimal(bid[0]),
    bidQuantity: parseDecimal(bid[1]),
    askPrice: parseDecimal(ask[0]),
    askQuantity: parseDecimal(ask[1]),
    receivedTime: noon,
    ...rest,
  };
}
