import { makeBook } from './minute-book.ts';
import { makeTrades } from './minute-trades.ts';
import type { Trades } from './minute-trades.ts';
import { hashAt, Random } from './random.ts';
import { secondMicros } from './symbol-time.ts';
import type { SymbolProfile } from './symbol-profile.ts';

/**
 * A minute of a market without its price level: when what happens, and how far from the level of
 * its second. Each minute of a symbol's history is one of its few patterns at a level of its own;
 * since a pattern's sums over each second are known, a minute's high, low and volumes cost 60 steps
 * and not a walk over its trades. Flat arrays, because the busy symbols have thousands of events.
 */
export type MinutePattern = {
  /** Microseconds after the minute's begin: when each trade is matched, and when it is sent. */
  readonly tradeTimes: Int32Array;
  readonly sentTimes: Int32Array;
  /** Ticks above the level of its second. */
  readonly tradeOffsets: Int32Array;
  /** Lots, before the minute's activity multiplies them. */
  readonly tradeLots: Float64Array;
  /** 1 where the taker sold (the buyer was the maker). */
  readonly takerSold: Uint8Array;
  /** How many single trades come before each aggregate trade; one more entry holds them all. */
  readonly singlesBefore: Int32Array;
  /** How far each second's level lies above the straight line through the minute, in ticks. */
  readonly walk: Int32Array;
  /** How many trades come before each second; one more entry holds them all. */
  readonly tradesBefore: Int32Array;
  readonly seconds: readonly SecondSum[];
  readonly tickerTimes: Int32Array;
  readonly bidOffsets: Int32Array;
  readonly spreads: Int32Array;
  readonly bidLots: Float64Array;
  readonly askLots: Float64Array;
};

/** What a second of a pattern adds up to; none where it has no trade. */
type SecondSum = {
  readonly second: number;
  readonly highOffset: number;
  readonly lowOffset: number;
  readonly lots: number;
  /** The sum of lots × offset. */
  readonly offsetLots: number;
  readonly boughtLots: number;
  readonly boughtOffsetLots: number;
};

export function makePattern(seed: number, index: number, profile: SymbolProfile): MinutePattern {
  const random = new Random(hashAt(seed, index));
  const book = makeBook(random, profile);
  const trades = makeTrades(random, profile, book);
  const tradesBefore = new Int32Array(61);
  for (const time of trades.tradeTimes) {
    const after = Math.floor(time / secondMicros) + 1;
    tradesBefore[after] = (tradesBefore[after] ?? 0) + 1;
  }
  for (let second = 1; second <= 60; second++) {
    tradesBefore[second] = (tradesBefore[second] ?? 0) + (tradesBefore[second - 1] ?? 0);
  }
  return {
    ...book,
    ...trades,
    walk: makeWalk(random, profile),
    tradesBefore,
    seconds: sumSeconds(trades, tradesBefore),
  };
}

/** A random walk that begins and ends at 0, about as wild as 60 % a year. */
function makeWalk(random: Random, profile: SymbolProfile): Int32Array {
  const step = profile.basePrice * 0.000_18;
  const free = [0];
  for (let second = 1; second <= 60; second++) {
    free.push((free[second - 1] ?? 0) + (random.fraction() + random.fraction() - 1) * step);
  }
  const end = free[60] ?? 0;
  return Int32Array.from({ length: 60 }, (_, second) =>
    Math.round((free[second] ?? 0) - (end * second) / 60),
  );
}

function sumSeconds(trades: Trades, tradesBefore: Int32Array): readonly SecondSum[] {
  const sums: SecondSum[] = [];
  for (let second = 0; second < 60; second++) {
    const [from = 0, to = 0] = [tradesBefore[second], tradesBefore[second + 1]];
    if (from === to) continue;
    let [highOffset, lowOffset] = [-Infinity, Infinity];
    let [lots, offsetLots, boughtLots, boughtOffsetLots] = [0, 0, 0, 0];
    for (let index = from; index < to; index++) {
      const offset = trades.tradeOffsets[index] ?? 0;
      const tradeLots = trades.tradeLots[index] ?? 0;
      highOffset = Math.max(highOffset, offset);
      lowOffset = Math.min(lowOffset, offset);
      lots += tradeLots;
      offsetLots += tradeLots * offset;
      if (trades.takerSold[index] === 1) continue;
      boughtLots += tradeLots;
      boughtOffsetLots += tradeLots * offset;
    }
    const bought = { boughtLots, boughtOffsetLots };
    sums.push({ second, highOffset, lowOffset, lots, offsetLots, ...bought });
  }
  return sums;
}
