import { noon } from './builders.ts';

/** A time in µs as Coinbase writes it. */
export function isoTime(time: number): string {
  const micros = String(time % 1_000_000).padStart(6, '0');
  return `${new Date(Math.floor(time / 1000)).toISOString().slice(0, 19)}.${micros}Z`;
}

/** A trade as REST tells it, at noon, with other fields where given; undefined leaves one out. */
export function aCoinbaseTrade(fields: Readonly<Record<string, unknown>> = {}) {
  return {
    time: isoTime(noon),
    trade_id: 10,
    size: '5.23512',
    price: '400.23',
    side: 'sell',
    ...fields,
  };
}

export function aMatch(fields: Readonly<Record<string, unknown>> = {}) {
  return {
    type: 'match',
    sequence: 50,
    maker_order_id: 'ac928c66-ca53-498f-9c13-a110027a60e8',
    taker_order_id: '132fb6ae-456b-4654-b4e0-d681ac05cea1',
    product_id: 'BTC-USD',
    ...aCoinbaseTrade(fields),
  };
}

export function aCoinbaseTicker(fields: Readonly<Record<string, unknown>> = {}) {
  return {
    type: 'ticker',
    sequence: 37475248783,
    product_id: 'BTC-USD',
    price: '1285.22',
    best_bid: '1285.04',
    best_bid_size: '0.46688654',
    best_ask: '1285.27',
    best_ask_size: '1.56637040',
    side: 'buy',
    time: isoTime(noon),
    trade_id: 10,
    last_size: '11.4396987',
    ...fields,
  };
}

export function aHeartbeat(lastTradeId: number, product = 'BTC-USD') {
  return {
    type: 'heartbeat',
    sequence: 90,
    last_trade_id: lastTradeId,
    product_id: product,
    time: isoTime(noon),
  };
}
