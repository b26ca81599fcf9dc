import type { Book } from './minute-book.ts';
import type { MinutePattern } from './minute-pattern.ts';
import type { Random } from './random.ts';
import type { SymbolProfile } from './symbol-profile.ts';
import { minuteMicros, secondMicros } from './symbol-time.ts';

/** Single trades of a minute that has any: an aggregate trade holds 1.6 of them on average. */
export function singlesPerMinute(profile: SymbolProfile): number {
  return Math.floor(profile.tradesPerMinute * 1.6);
}

export type Trades = Pick<
  MinutePattern,
  'tradeTimes' | 'sentTimes' | 'tradeOffsets' | 'tradeLots' | 'takerSold' | 'singlesBefore'
>;

export function makeTrades(random: Random, profile: SymbolProfile, book: Book): Trades {
  const times = makeTradeTimes(random, profile.tradesPerMinute);
  const count = times.length;
  const trades = {
    tradeTimes: new Int32Array(count),
    sentTimes: new Int32Array(count),
    tradeOffsets: new Int32Array(count),
    tradeLots: new Float64Array(count),
    takerSold: new Uint8Array(count),
    singlesBefore: new Int32Array(count + 1),
  };
  const singles = makeSingles(random, count, singlesPerMinute(profile));
  let ticker = 0;
  let burst = -1;
  let sold = 0;
  let depth = 0;
  let sent = 0;
  times.forEach(([time, inBurst], index) => {
    while ((book.tickerTimes[ticker + 1] ?? Infinity) <= time) ticker++;
    if (inBurst === burst) {
      // A taker who wants more than the best level shows walks on to the next one.
      if (random.chance(0.4)) depth += random.integer(1, 2);
    } else {
      [burst, depth, sold] = [inBurst, 0, random.chance(0.5) ? 1 : 0];
    }
    const bid = book.bidOffsets[ticker] ?? 0;
    const number = singles[index] ?? 1;
    trades.tradeTimes[index] = time;
    // Sent 1 to 5 ms later, in order of ids, and before the minute's end so that minutes stay apart.
    sent = Math.min(minuteMicros - 1, Math.max(sent, time + random.integer(1_000, 5_000)));
    trades.sentTimes[index] = sent;
    trades.tradeOffsets[index] =
      sold === 1 ? bid - depth : bid + (book.spreads[ticker] ?? 1) + depth;
    trades.tradeLots[index] = number + tradeLots(random, profile.usualLots);
    trades.takerSold[index] = sold;
    trades.singlesBefore[index + 1] = (trades.singlesBefore[index] ?? 0) + number;
  });
  return trades;
}

/** [time, which burst] of each trade, in order. Most trades come in bursts; many seconds stay quiet. */
function makeTradeTimes(random: Random, count: number): (readonly [number, number])[] {
  const weights = Array.from({ length: 60 }, () =>
    random.chance(0.15) ? 0 : 0.15 + 2 * random.fraction() ** 4,
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const times: [number, number][] = [];
  for (let burst = 0; times.length < count; burst++) {
    let left = random.fraction() * total;
    let second = weights.findIndex((weight) => (left -= weight) < 0);
    if (second < 0) second = 59;
    // Exactly on the boundary of a second now and then: that is where candles go wrong.
    const edge = random.fraction();
    const within =
      edge < 0.02 ? 0 : edge < 0.03 ? secondMicros - 1 : random.integer(0, secondMicros - 1);
    const size = random.chance(0.5) ? 1 : random.integer(2, 6);
    for (let member = 0; member < size && times.length < count; member++) {
      const apart = random.chance(0.7) ? 0 : random.integer(1, 400);
      const last = times.at(-1);
      const from = member > 0 && last !== undefined ? last[0] % secondMicros : within;
      times.push([second * secondMicros + Math.min(secondMicros - 1, from + apart), burst]);
    }
  }
  return times.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
}

/** How many single trades each of `count` aggregate ones holds: at least one, `total` together. */
function makeSingles(random: Random, count: number, total: number): readonly number[] {
  const singles = Array.from({ length: count }, () => 1);
  for (let left = total - count; left > 0;) {
    const index = random.integer(0, count - 1);
    const more = Math.min(left, random.chance(0.7) ? 1 : random.integer(2, 6));
    singles[index] = (singles[index] ?? 1) + more;
    left -= more;
  }
  return singles;
}

/** Mostly small, now and then a large one. */
function tradeLots(random: Random, usualLots: number): number {
  const size = 0.02 + 2.5 * random.fraction() ** 3;
  return Math.floor(usualLots * size * (random.chance(0.02) ? 15 : 1));
}
