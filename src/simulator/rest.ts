import type { Micros } from '../base/clock.ts';
import { bookTickerAnswer, depthAnswer } from './book-answers.ts';
import { exchangeInfo } from './exchange-info.ts';
import type { ActiveFaults } from './faults/active-faults.ts';
import { timeIn } from './frame.ts';
import type { TimeUnit } from './frame.ts';
import { klinesAnswer } from './klines-answer.ts';
import {
  readEnd,
  readInteger,
  readLimit,
  readStart,
  readSymbol,
  readSymbols,
  RestError,
} from './rest-parameters.ts';
import type { SimulatedMarket } from './simulated-market.ts';
import type { TapeTrade } from './tape.ts';
import { tradesFrom, tradesWithin } from './told-trades.ts';

/** A question over REST. */
export type RestRequest = {
  readonly query: URLSearchParams;
  readonly unit: TimeUnit;
  /** The instant whose state is asked. */
  readonly now: Micros;
  readonly market: SimulatedMarket;
  /** What is listed when no symbol is named. */
  readonly symbols: readonly string[];
  /** Request weight that an address may use in a minute. */
  readonly weightLimit: number;
  readonly faults: ActiveFaults;
};

type Route = {
  /** Request weight, as in Binance's rest-api.md. */
  readonly weight: (query: URLSearchParams) => number;
  /** What is answered, as a value of JSON. */
  readonly answer: (request: RestRequest) => unknown;
};

/** All paths that are answered. */
export const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/api/v3/ping', { weight: () => 1, answer: () => ({}) }],
  [
    '/api/v3/time',
    { weight: () => 1, answer: ({ unit, now }) => ({ serverTime: timeIn(unit, now) }) },
  ],
  ['/api/v3/exchangeInfo', { weight: () => 20, answer: exchangeInfo }],
  ['/api/v3/aggTrades', { weight: () => 4, answer: aggTrades }],
  ['/api/v3/klines', { weight: () => 2, answer: klinesAnswer }],
  ['/api/v3/depth', { weight: () => 5, answer: depthAnswer }],
  [
    '/api/v3/ticker/bookTicker',
    { weight: (query) => (query.has('symbol') ? 2 : 4), answer: bookTicker },
  ],
]);

function aggTrades({ query, unit, now, market, faults }: RestRequest): unknown {
  const { tape, name } = market.symbol(readSymbol(query));
  const missing = faults.each((fault) => fault.missingIds?.(name));
  const limit = readLimit(query);
  const fromId = readInteger(query, 'fromId');
  const start = readStart(query);
  const end = readEnd(query);
  if (fromId !== undefined) {
    if (start !== undefined || end !== undefined) {
      throw new RestError(400, -1128, 'Combination of optional parameters invalid.');
    }
    return tradesFrom(tape, [fromId, limit, now], missing).map((trade) => aggTrade(trade, unit));
  }
  // Without a start the last ones are meant.
  const range = [start ?? 0, end ?? Infinity] as const;
  const trades = tradesWithin(tape, [range, [limit, start === undefined], now], missing);
  return trades.map((trade) => aggTrade(trade, unit));
}

function aggTrade(trade: TapeTrade, unit: TimeUnit): unknown {
  return {
    a: trade.id,
    p: trade.price,
    q: trade.quantity,
    f: trade.firstTradeId,
    l: trade.lastTradeId,
    T: timeIn(unit, trade.time),
    m: trade.isTakerSell,
    M: true,
  };
}

function bookTicker({ query, market, symbols, now }: RestRequest): unknown {
  const names = readSymbols(query) ?? symbols;
  const tickers = names.map((name) => bookTickerAnswer(name, market.symbol(name).board.at(now)));
  return query.has('symbol') ? tickers[0] : tickers;
}
