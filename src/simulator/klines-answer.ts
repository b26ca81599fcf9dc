import { setImmediate } from 'node:timers/promises';
import type { Micros } from '../base/clock.ts';
import { closeTimeOf, openTimeOf } from '../domain/timeframe.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import { decimalText, productText } from './count-text.ts';
import { timeIn } from './frame.ts';
import type { TimeUnit } from './frame.ts';
import { klineAt } from './kline.ts';
import type { Kline } from './kline.ts';
import { readEnd, readLimit, readStart, readSymbol, readTimeframe } from './rest-parameters.ts';
import type { RestRequest } from './rest.ts';
import type { Tape } from './tape.ts';

/** `/api/v3/klines`: with a start the first ones from there, without one the last ones. */
export async function klinesAnswer({ query, unit, now, market }: RestRequest): Promise<unknown> {
  const { tape } = market.symbol(readSymbol(query));
  const timeframe = readTimeframe(query);
  const start = readStart(query);
  const range = [start ?? 0, Math.min(readEnd(query) ?? Infinity, now + 1)] as const;
  const page = [readLimit(query), start === undefined] as const;
  const rows: unknown[] = [];
  for (const openTime of openTimes(tape, timeframe, range, page, now)) {
    const kline = klineAt(tape, timeframe, openTime, now);
    if (kline !== undefined) rows.push(klineRow(kline, unit));
    // Years of history take a while the first time: nobody's stream shall wait for it.
    await setImmediate();
  }
  return rows;
}

/** The open times of at most `limit` klines that open within [from, to), in order. */
function openTimes(
  tape: Tape,
  timeframe: Timeframe,
  [from, to]: readonly [Micros, Micros],
  [limit, isFromEnd]: readonly [limit: number, isFromEnd: boolean],
  now: Micros,
): readonly Micros[] {
  const first = tape.firstTime(now);
  if (first === undefined) return [];
  const times: Micros[] = [];
  const firstOpen = openTimeOf(timeframe, first);
  if (isFromEnd) {
    let time = openTimeOf(timeframe, to - 1);
    for (; time >= firstOpen && times.length < limit; time = openTimeOf(timeframe, time - 1)) {
      times.push(time);
    }
    return times.toReversed();
  }
  const begin = Math.max(from, firstOpen);
  let time = openTimeOf(timeframe, begin);
  if (time < begin) time = closeTimeOf(timeframe, time);
  for (; time < to && times.length < limit; time = closeTimeOf(timeframe, time)) times.push(time);
  return times;
}

/** A row as Binance writes it: times with the last instant included, a "0" that means nothing. */
function klineRow(kline: Kline, unit: TimeUnit): unknown {
  return [
    timeIn(unit, kline.openTime),
    decimalText(kline.open),
    decimalText(kline.high),
    decimalText(kline.low),
    decimalText(kline.close),
    decimalText(kline.volume),
    timeIn(unit, kline.closeTime) - 1,
    productText(kline.quoteVolume),
    kline.tradeCount,
    decimalText(kline.takerBuyVolume),
    productText(kline.takerBuyQuoteVolume),
    '0',
  ];
}
