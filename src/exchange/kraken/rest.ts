import type { Micros } from '../../base/clock.ts';
import { ExactNumber, parseExactJson } from '../../base/exact-json.ts';
import { instrumentName } from '../../domain/instrument.ts';
import type { InstrumentLimits } from '../../domain/instrument.ts';
import type { LastTrade } from '../../domain/market-event.ts';
import type { Trade } from '../../domain/trade.ts';
import { expectArray, read } from '../answers.ts';
import { askListedInParts } from '../ask-listed.ts';
import type { ListedInstrument, RestOptions, RestQuestions } from '../exchange.ts';
import { decimalOrNone, isFields, timeRule } from '../fields.ts';
import type { Fields } from '../fields.ts';
import { RestError } from '../rest-error.ts';
import { readTradeRow } from './trade-row.ts';
import { krakenRestSymbol } from './symbols.ts';

const tradesPerAnswer = 1000;
/** So many pairs make a URL of about 500 characters. */
const pairsPerQuestion = 50;

/** Kraken's public REST interface: docs.kraken.com/api/docs/rest-api. Every question weighs 1. */
export function createKrakenRest(options: RestOptions): RestQuestions {
  const { client, exchange, timeUnit, maximumAheadMs, ownSymbol } = options;
  const rule = timeRule(timeUnit, maximumAheadMs);
  const pairOf = (symbol: string) => encodeURIComponent(krakenRestSymbol(ownSymbol(symbol)));

  /**
   * Every answer is a 200 with errors in it, or a result.
   *
   *     {"error":["EQuery:Unknown asset pair"]} · {"error":["EGeneral:Too many requests"]} · {"error":[],"result":{…}}
   */
  async function ask(path: string, signal: AbortSignal) {
    const { body, askedTime } = await client.get({
      path,
      weight: 1,
      parse: parseExactJson,
      signal,
    });
    if (!isFields(body)) throw new RestError('failed', `${path}: expected an object`);
    const [error] = expectArray(path, body.error);
    if (error !== undefined) {
      // What the question itself is to blame for; after the rest one may ask again, in a while.
      const code = typeof error === 'string' ? error.slice(0, 200) : 'an unreadable error';
      throw new RestError(code.startsWith('EQuery:') ? 'refused' : 'failed', `${path}: ${code}`);
    }
    if (!isFields(body.result)) throw new RestError('failed', `${path}: expected a result`);
    return { result: body.result, askedTime };
  }

  /**
   * `/0/public/Trades`: the last ones, or the first ones after a time in ns. The result names the
   * pair in its own way, beside "last".
   *
   *     {"error":[],"result":{"XXBTZUSD":[["30243.40000","0.34507674",1688669597.8277369,"b","m","",61044952]],
   *      "last":"1688671969993150842"}}
   */
  async function askTrades(symbol: string, query: string, signal: AbortSignal) {
    const path = `/0/public/Trades?pair=${pairOf(symbol)}&${query}`;
    const { result, askedTime } = await ask(path, signal);
    const receivedTime = client.clock.now();
    const context = { instrument: instrumentName(exchange, symbol), receivedTime, rule };
    const rows = Object.entries(result).find(([key]) => key !== 'last')?.[1];
    const trades = expectArray(path, rows)
      .map((row): Trade => read(path, () => readTradeRow(row, context)))
      .toSorted((a, b) => a.id - b.id);
    return { trades, askedTime };
  }

  async function lastTrade(symbol: string, signal: AbortSignal): Promise<LastTrade | undefined> {
    const { trades, askedTime } = await askTrades(symbol, 'count=1', signal);
    const trade = trades.at(-1);
    if (trade === undefined) return undefined;
    return { type: 'lastTrade', trade, askedTime, receivedTime: trade.receivedTime };
  }

  const trades: RestQuestions['trades'] = async (symbol, range, signal) => {
    if (!('fromTime' in range)) throw new RestError('refused', 'It tells no trades by id');
    const query = `since=${nanosBefore(range.fromTime)}&count=${tradesPerAnswer}`;
    const page = await askTrades(symbol, query, signal);
    return page.trades.filter(({ exchangeTime }) => exchangeTime <= range.toTime);
  };

  const listedInstruments = (symbols: readonly string[], signal: AbortSignal) =>
    askListedInParts(symbols, pairsPerQuestion, (some, listed) => askListed(some, listed, signal));

  /**
   * `/0/public/AssetPairs?pair=XBTUSD,ETHUSD`
   *
   *     {"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","pair_decimals":1,"lot_decimals":8,
   *      "ordermin":"0.0001","costmin":"0.5","tick_size":"0.1","status":"online"}}}
   *
   * One pair that it does not know makes it refuse them all.
   */
  async function askListed(
    symbols: readonly string[],
    listed: Map<string, ListedInstrument>,
    signal: AbortSignal,
  ): Promise<void> {
    const path = `/0/public/AssetPairs?pair=${symbols.map(pairOf).join(',')}`;
    const byPair = new Map(symbols.map((symbol) => [krakenRestSymbol(ownSymbol(symbol)), symbol]));
    const { result } = await ask(path, signal);
    for (const row of Object.values(result)) {
      if (!isFields(row)) continue;
      const symbol = byPair.get(String(row.altname));
      if (symbol === undefined) continue;
      listed.set(symbol, { limits: readLimits(row), trouble: readTrouble(row) });
    }
  }

  return {
    lastTradeWeight: 1,
    lastTrade,
    trades,
    tradesPerAnswer,
    klines: () => Promise.reject(new RestError('refused', 'Its candles tell less than ours')),
    listedInstruments,
  };
}

/** The last nanosecond before a time: trades of that very microsecond come after it. */
function nanosBefore(time: Micros): string {
  return `${time - 1}999`;
}

function readLimits(row: Fields): InstrumentLimits {
  const { lot_decimals: lotDecimals } = row;
  const decimals = lotDecimals instanceof ExactNumber ? lotDecimals.integer : undefined;
  return {
    tickSize: decimalOrNone(row.tick_size),
    lotSize: decimals === undefined ? undefined : decimalOrNone(unitOf(decimals)),
    minimumNotional: decimalOrNone(row.costmin),
  };
}

/** "0.001" of 3. */
function unitOf(decimals: number): string {
  return decimals === 0 ? '1' : `0.${'1'.padStart(decimals, '0')}`;
}

/** States as in the documentation of AssetPairs; post_only and limit_only still trade. */
const states: Readonly<Record<string, string>> = {
  cancel_only: 'The exchange takes only cancellations for it',
  reduce_only: 'The exchange lets positions in it only be reduced',
};

function readTrouble({ status }: Fields): string | undefined {
  const areTrading: readonly unknown[] = ['online', 'post_only', 'limit_only'];
  if (typeof status !== 'string' || areTrading.includes(status)) return undefined;
  return `${states[status] ?? 'It does not trade'} (${status.slice(0, 40)})`;
}
