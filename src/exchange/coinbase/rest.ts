import { parseDecimal } from '../../base/decimal.ts';
import type { Decimal } from '../../base/decimal.ts';
import type { LastTrade } from '../../domain/market-event.ts';
import { expectArray } from '../answers.ts';
import type { ListedInstrument, RestOptions, RestQuestions } from '../exchange.ts';
import { isFields } from '../fields.ts';
import type { Fields } from '../fields.ts';
import { joinedPair } from '../pair-symbol.ts';
import { RestError } from '../rest-error.ts';
import { createCoinbaseTrades, tradesPerAnswer } from './trades.ts';

/** Coinbase's public REST interface: docs.cdp.coinbase.com/exchange/rest-api. Every question weighs 1. */
export function createCoinbaseRest(options: RestOptions): RestQuestions {
  const { client } = options;
  const { newest, from } = createCoinbaseTrades(options);

  async function lastTrade(symbol: string, signal: AbortSignal): Promise<LastTrade | undefined> {
    const { trades, askedTime } = await newest(symbol, 1, signal);
    const trade = trades.at(-1);
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

  return {
    lastTradeWeight: 1,
    lastTrade,
    trades: from,
    tradesPerAnswer,
    klines: () => Promise.reject(new RestError('refused', 'Its candles tell less than ours')),
    listedInstruments,
  };
}

function readProduct(row: Fields): ListedInstrument {
  return {
    limits: {
      tickSize: readIncrement(row.quote_increment),
      lotSize: readIncrement(row.base_increment),
      minimumNotional: readIncrement(row.min_market_funds),
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

function readIncrement(value: unknown): Decimal | undefined {
  try {
    return (typeof value === 'string' && parseDecimal(value)) || undefined;
  } catch {
    return undefined;
  }
}
