import { strict as assert } from 'node:assert';
import { levelOf } from './minute-source.ts';
import type { Minute } from './minute-source.ts';
import { secondMicros } from './symbol-time.ts';

/** What a run of trades adds up to. Prices in ticks, volumes in lots, quote volumes in tick-lots. */
export type TradeSum = {
  readonly high: number;
  readonly low: number;
  readonly lots: bigint;
  readonly tickLots: bigint;
  readonly boughtLots: bigint;
  readonly boughtTickLots: bigint;
};

export const emptySum: TradeSum = {
  high: -Infinity,
  low: Infinity,
  lots: 0n,
  tickLots: 0n,
  boughtLots: 0n,
  boughtTickLots: 0n,
};

export function addSums(a: TradeSum, b: TradeSum): TradeSum {
  return {
    high: Math.max(a.high, b.high),
    low: Math.min(a.low, b.low),
    lots: a.lots + b.lots,
    tickLots: a.tickLots + b.tickLots,
    boughtLots: a.boughtLots + b.boughtLots,
    boughtTickLots: a.boughtTickLots + b.boughtTickLots,
  };
}

/** Adds up the trades of a minute one by one, from one of its indices up to but without another. */
export function sumOfTrades(minute: Minute, from: number, to: number): TradeSum {
  const { pattern, activity } = minute;
  let [high, low] = [-Infinity, Infinity];
  let [lots, tickLots, boughtLots, boughtTickLots] = [0, 0, 0, 0];
  for (let index = from; index < to; index++) {
    const second = Math.floor((pattern.tradeTimes[index] ?? 0) / secondMicros);
    const price = levelOf(minute, second) + (pattern.tradeOffsets[index] ?? 0);
    const tradeLots = (pattern.tradeLots[index] ?? 0) * activity;
    high = Math.max(high, price);
    low = Math.min(low, price);
    lots += tradeLots;
    tickLots += tradeLots * price;
    if (pattern.takerSold[index] === 1) continue;
    boughtLots += tradeLots;
    boughtTickLots += tradeLots * price;
  }
  return exactSum(high, low, lots, tickLots, boughtLots, boughtTickLots);
}

/**
 * The same for a whole minute, by its seconds: all trades of a second share its level, so that
 * Σ lots × price = level × Σ lots + Σ lots × offset, and the last two are known of the pattern.
 */
export function sumOfMinute(minute: Minute): TradeSum {
  const { pattern, activity } = minute;
  let [high, low] = [-Infinity, Infinity];
  let [lots, tickLots, boughtLots, boughtTickLots] = [0, 0, 0, 0];
  for (const sum of pattern.seconds) {
    const level = levelOf(minute, sum.second);
    high = Math.max(high, level + sum.highOffset);
    low = Math.min(low, level + sum.lowOffset);
    lots += sum.lots;
    tickLots += level * sum.lots + sum.offsetLots;
    boughtLots += sum.boughtLots;
    boughtTickLots += level * sum.boughtLots + sum.boughtOffsetLots;
  }
  return exactSum(
    high,
    low,
    lots * activity,
    tickLots * activity,
    boughtLots * activity,
    boughtTickLots * activity,
  );
}

/** A minute's sums are integers below 2^53, so that numbers hold them exactly; longer ones may not. */
function exactSum(
  high: number,
  low: number,
  lots: number,
  tickLots: number,
  boughtLots: number,
  boughtTickLots: number,
): TradeSum {
  assert(Number.isSafeInteger(tickLots), 'A minute trades too much to be added up in numbers');
  return {
    high,
    low,
    lots: BigInt(lots),
    tickLots: BigInt(tickLots),
    boughtLots: BigInt(boughtLots),
    boughtTickLots: BigInt(boughtTickLots),
  };
}
