import type { Micros } from '../../base/clock.ts';
import { parseDecimal, parseProduct, parseSum } from '../../base/decimal.ts';
import { instrumentName } from '../../domain/instrument.ts';
import type { Kline } from '../../domain/kline.ts';
import { closeTimeOf, openTimeOf } from '../../domain/timeframe.ts';
import type { Timeframe } from '../../domain/timeframe.ts';
import type { Trade } from '../../domain/trade.ts';
import type { RestOptions, RestQuestions } from '../exchange.ts';
import { expectArray, expectFields, read } from '../answers.ts';
import { showValue } from '../bad-frame.ts';
import { timeRule, WireError } from '../fields.ts';
import { readAggTrade } from './payloads.ts';

const tradesPerAnswer = 1000;
const tradesWeight = 4;
const klinesPerAnswer = 1000;
const klinesWeight = 2;

type History = Pick<RestQuestions, 'trades' | 'tradesPerAnswer' | 'klines'>;

/** What Binance tells of the past: rest-api.md, "Market data endpoints". */
export function createBinanceHistory(options: RestOptions): History {
  const { client, exchange, timeUnit, maximumAheadMs } = options;
  const rule = timeRule(timeUnit, maximumAheadMs);
  const headers: Record<string, string> =
    timeUnit === 'microsecond' ? { 'X-MBX-TIME-UNIT': 'MICROSECOND' } : {};
  const inUnit = (time: Micros) => Math.floor(time / rule.microsPerUnit);

  /** `/api/v3/aggTrades` by id or by time, both ends of a span included; rows as in `lastTrade`. */
  const trades: History['trades'] = async (symbol, from, signal) => {
    const range =
      'fromId' in from
        ? `fromId=${from.fromId}`
        : `startTime=${inUnit(from.fromTime)}&endTime=${inUnit(from.toTime)}`;
    const path = `/api/v3/aggTrades?symbol=${encodeURIComponent(symbol)}&${range}&limit=${tradesPerAnswer}`;
    const { body } = await client.get({ path, weight: tradesWeight, headers, signal });
    const receivedTime = client.clock.now();
    const context = { instrument: instrumentName(exchange, symbol), receivedTime, rule };
    return expectArray(path, body)
      .map((row): Trade => read(path, () => readAggTrade(expectFields(row), context, undefined)))
      .toSorted((a, b) => a.id - b.id);
  };

  /**
   * `/api/v3/klines`, page by page.
   *
   *     [[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",
   *       1499644799999,"2434.19055334",308,"1756.87402397","28.46694368","0"]]
   */
  const klines: History['klines'] = async (symbol, timeframe, { from, to }, signal) => {
    const all: Kline[] = [];
    let next = from;
    while (next < to) {
      const path = `/api/v3/klines?symbol=${encodeURIComponent(symbol)}&interval=${timeframe}&startTime=${inUnit(next)}&endTime=${inUnit(to - 1)}&limit=${klinesPerAnswer}`;
      const { body } = await client.get({ path, weight: klinesWeight, headers, signal });
      const rows = expectArray(path, body);
      const page = rows.map((row) =>
        read(path, () => readKline(row, timeframe, rule.microsPerUnit)),
      );
      all.push(...page);
      const last = page.at(-1);
      // An answer that does not go on would be asked for again and again.
      if (rows.length < klinesPerAnswer || last === undefined || last.closeTime <= next) break;
      next = last.closeTime;
    }
    return all;
  };

  return { trades, tradesPerAnswer, klines };
}

/** @throws WireError */
function readKline(row: unknown, timeframe: Timeframe, microsPerUnit: number): Kline {
  if (!Array.isArray(row)) throw new WireError('field', 'expected a kline as a list');
  const [openMark, open, high, low, close, volume, , quote, count, takerBase, takerQuote] =
    row as unknown[];
  const openTime = Number(openMark) * microsPerUnit;
  if (!Number.isSafeInteger(openTime) || openTimeOf(timeframe, openTime) !== openTime) {
    throw new WireError('time', `expected the open time of a ${timeframe} kline, got ${openTime}`);
  }
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0) {
    throw new WireError('field', 'expected a number of trades');
  }
  return {
    openTime,
    closeTime: closeTimeOf(timeframe, openTime),
    open: decimal(open, parseDecimal),
    high: decimal(high, parseDecimal),
    low: decimal(low, parseDecimal),
    close: decimal(close, parseDecimal),
    volume: decimal(volume, parseSum),
    quoteVolume: decimal(quote, parseProduct),
    takerBuyVolume: decimal(takerBase, parseSum),
    takerBuyQuoteVolume: decimal(takerQuote, parseProduct),
    tradeCount: count,
  };
}

function decimal(value: unknown, parse: (text: string) => bigint): bigint {
  try {
    if (typeof value === 'string') return parse(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new WireError('field', `expected a decimal in a kline, got ${showValue(value)}`);
}
