import type { Micros } from '../../base/clock.ts';
import { instrumentName } from '../../domain/instrument.ts';
import type { Trade } from '../../domain/trade.ts';
import { expectArray, expectFields, read } from '../answers.ts';
import type { RestOptions, RestQuestions } from '../exchange.ts';
import { timeRule } from '../fields.ts';
import { RestError } from '../rest-error.ts';
import { readTrade } from './payloads.ts';

export const tradesPerAnswer = 1000;

/** Ids have at most 53 bits, and a question halves what is left of them, or doubles the reach. */
const searchQuestions = 110;

/**
 * Coinbase's trades over REST: `/products/{id}/trades`, the newest first, or those before an id
 * (docs.cdp.coinbase.com/exchange/rest-api/pagination: "after" is the older page). Nothing can be
 * asked by time: where a time is given, the first id since then is searched for.
 */
export function createCoinbaseTrades(options: RestOptions) {
  const { client, exchange, timeUnit, maximumAheadMs, ownSymbol } = options;
  const rule = timeRule(timeUnit, maximumAheadMs);

  async function ask(symbol: string, query: string, signal: AbortSignal) {
    const path = `/products/${encodeURIComponent(ownSymbol(symbol))}/trades?${query}`;
    const { body, askedTime } = await client.get({ path, weight: 1, signal });
    const receivedTime = client.clock.now();
    const context = { instrument: instrumentName(exchange, symbol), receivedTime, rule };
    const page = expectArray(path, body)
      .map((row): Trade => read(path, () => readTrade(expectFields(row), context)))
      .toSorted((a, b) => a.id - b.id);
    return { page, askedTime };
  }

  const newest = (symbol: string, limit: number, signal: AbortSignal) =>
    ask(symbol, `limit=${limit}`, signal);

  /** Those with lower ids, the highest of them. */
  async function before(symbol: string, id: number, signal: AbortSignal) {
    return (await ask(symbol, `limit=${tradesPerAnswer}&after=${id}`, signal)).page;
  }

  /** Those of the thousand ids from `fromId` on. */
  async function within(symbol: string, fromId: number, signal: AbortSignal) {
    const page = await before(symbol, fromId + tradesPerAnswer, signal);
    return page.filter(({ id }) => id >= fromId);
  }

  const trades: RestQuestions['trades'] = async (symbol, range, signal) => {
    const fromId =
      'fromId' in range ? range.fromId : await firstIdSince(symbol, range.fromTime, signal);
    if (fromId === undefined) return [];
    const page = await within(symbol, fromId, signal);
    if (page.length === tradesPerAnswer) return page;
    // Is it the end, or are ids missing? Both cannot be told apart but by what comes after.
    return [...page, ...(await within(symbol, fromId + tradesPerAnswer, signal))];
  };

  /** undefined: there is no trade since then. */
  async function firstIdSince(
    symbol: string,
    time: Micros,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    let { page } = await newest(symbol, tradesPerAnswer, signal);
    // The trade at `low` came before that time, or there is none; the one at `high` did not.
    let [low, high] = [0, Infinity];
    let asked = Infinity;
    for (let reach = tradesPerAnswer, questions = 0; questions < searchQuestions; questions++) {
      const found = page.find(({ exchangeTime }) => exchangeTime >= time);
      if (found === undefined) {
        if (high === Infinity) return undefined;
        low = Math.max(low, page.at(-1)?.id ?? asked - 1);
      } else if (found !== page[0]) return found.id;
      else high = Math.min(high, found.id);
      if (high - low <= 1) return high;
      if (low === 0) reach *= 2;
      asked = low === 0 ? Math.max(high - reach, 1) : Math.ceil((low + high + tradesPerAnswer) / 2);
      asked = Math.min(high, Math.max(asked, low + 2));
      page = await before(symbol, asked, signal);
    }
    throw new RestError('failed', `${symbol}: its first trade since a time was not found`);
  }

  return { newest, trades };
}
