import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { parseDecimal } from '../../src/base/decimal.ts';
import { CandleSum } from '../../src/domain/candle-sum.ts';
import { closeTimeOf, openTimeOf } from '../../src/domain/timeframe.ts';
import type { Timeframe } from '../../src/domain/timeframe.ts';

// Recorded klines of Binance, which are not part of the project: where they are, they are held
// against `merge`.
const folder = new URL('../../../shared/data/', import.meta.url);
const isThere = existsSync(folder);
if (!isThere)
  console.warn('NOT RUN: recorded klines are not there, rolling them up is not checked');

type Row = { readonly openTime: number; readonly values: readonly bigint[] };

/** Rows of open_time_ms,open,high,low,close,volume. */
function readKlines(name: string): Row[] {
  const file = new URL(`binance_spot_btcusdt_kline_${name}.csv.gz`, folder);
  const [, ...lines] = gunzipSync(readFileSync(file)).toString().trim().split('\n');
  return lines.map((line) => {
    const [openTime, ...values] = line.split(',');
    return { openTime: Number(openTime) * 1000, values: values.map(parseDecimal) };
  });
}

function sumOf({ openTime, values }: Row): CandleSum {
  const [open = 0n, high = 0n, low = 0n, close = 0n, volume = 0n] = values;
  const closeTradeTime = closeTimeOf('5m', openTime) - 1;
  const sum = {
    tradeCount: 1,
    openTradeTime: openTime,
    closeTradeTime,
    open,
    high,
    low,
    close,
    volume,
  };
  return Object.assign(new CandleSum(), sum);
}

test.runIf(isThere).each<[Timeframe, string]>([
  ['15m', '15m'],
  ['1h', '1h'],
  ['4h', '4h'],
  ['1d', '1d'],
  ['1w', '1w'],
  ['1M', '1Mo'],
])('merged in any order, the exchange’s 5m klines are its %s klines', (timeframe, name) => {
  const fives = readKlines('5m');
  const [first] = fives;
  const last = fives.at(-1);
  const sums = new Map<number, CandleSum>();
  // Backwards: a sum does not depend on the order.
  for (const row of fives.toReversed()) {
    const openTime = openTimeOf(timeframe, row.openTime);
    const sum = sums.get(openTime) ?? new CandleSum();
    sum.merge(sumOf(row));
    sums.set(openTime, sum);
  }
  const complete = readKlines(name).filter(
    ({ openTime }) =>
      openTime >= (first?.openTime ?? Infinity) &&
      closeTimeOf(timeframe, openTime) <= closeTimeOf('5m', last?.openTime ?? 0),
  );
  expect(complete.length).toBeGreaterThan(6);
  for (const { openTime, values } of complete) {
    const sum = sums.get(openTime);
    expect([sum?.open, sum?.high, sum?.low, sum?.close, sum?.volume]).toEqual(values);
  }
});
