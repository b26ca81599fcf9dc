import type { BookTicker } from '../../domain/book-ticker.ts';
import { instrumentName } from '../../domain/instrument.ts';
import type { LastTrade } from '../../domain/market-event.ts';
import { expectArray, expectFields, read } from '../answers.ts';
import { bookTickerOf, readBestLevel } from '../best-level.ts';
import type { ListedInstrument, RestOptions, RestQuestions } from '../exchange.ts';
import { decimalOrNone, isFields, readId } from '../fields.ts';
import type { Fields } from '../fields.ts';
import { joinedPair } from '../pair-symbol.ts';
import { RestError } from '../rest-error.ts';
import { createCoinbaseTrades, tradesPerAnswer } from './trades.ts';

/** Coinbase's public REST interface: docs.cdp.coinbase.com/exchange/rest-api. Every question weighs 1. */
export function createCoinbaseRest(options: RestOptions): RestQuestions {
  const { client, exchange, ownSymbol } = options;
  const { newest, trades } = createCoinbaseTrades(options);

  async function lastTrade(symbol: string, signal: AbortSignal): Promise<LastTrade | undefined> {
    const { page, askedTime } = await newest(symbol, 1, signal);
    const trade = page.at(-1);
    if (trade === undefined) return undefined;
    return { type: 'lastTrade', trade, askedTime, receivedTime: trade.receivedTime };
  }

  /**
   * `/products`: all of them, some 800, in one answer.
   *
   *     [{"id":"BTC-USD","base_currency":"BTC","quote_currency":"USD","base_increment":"0.00000001",
   *       "quote_increment":"0.01","min_market_funds":"10","status":"online","status_message":"",
   *       "trading_disabled":false,"cancel_only":false,"post_only":false,"limit_only":false}]
   */
  async function listedInstruments(symbols: readonly string[], signal: AbortSignal) {
    const path = '/products';
    const { body } = await client.get({ path, weight: 1, signal });
    const listed = new Map<string, ListedInstrument>();
    for (const row of expectArray(path, body)) {
      if (!isFields(row) || typeof row.id !== 'string') continue;
      const symbol = joinedPair(row.id);
      if (symbols.includes(symbol)) listed.set(symbol, readProduct(row));
    }
    return listed;
  }

  /**
   * `/products/{id}/book?level=1`: the sequence is that of the channel `ticker`, which tells the best
   * bid and ask only after matches.
   *
   *     {"sequence":13051505638,"bids":[["6247.58","6.3578146",2]],"asks":[["6251.52","2",1]],
   *      "auction_mode":false,"auction":null,"time":"2022-10-19T23:28:22.061769Z"}
   */
  async function bookTicker(symbol: string, signal: AbortSignal): Promise<BookTicker> {
    const path = `/products/${encodeURIComponent(ownSymbol(symbol))}/book?level=1`;
    const { body } = await client.get({ path, weight: 1, signal });
    const receivedTime = client.clock.now();
    return read(path, () => {
      const fields = expectFields(body);
      const updateId = readId(fields, 'sequence');
      const told = { instrument: instrumentName(exchange, symbol), updateId, receivedTime };
      return bookTickerOf(told, readBestLevel(fields.bids), readBestLevel(fields.asks));
    });
  }

  return {
    lastTradeWeight: 1,
    lastTrade,
    bookTicker,
    trades,
    tradesPerAnswer,
    klines: () => Promise.reject(new RestError('refused', 'Its candles tell less than ours')),
    listedInstruments,
  };
}

function readProduct(row: Fields): ListedInstrument {
  return {
    limits: {
      tickSize: decimalOrNone(row.quote_increment),
      lotSize: decimalOrNone(row.base_increment),
      minimumNotional: decimalOrNone(row.min_market_funds),
    },
    trouble: readTrouble(row),
  };
}

function readTrouble(row: Fields): string | undefined {
  if (typeof row.status === 'string' && row.status !== 'online') {
    return `It does not trade (${row.status.slice(0, 40)})`;
  }
  if (row.trading_disabled === true) return 'The exchange has disabled its trading';
  if (row.cancel_only === true) return 'The exchange takes only cancellations for it';
  return undefined;
}
