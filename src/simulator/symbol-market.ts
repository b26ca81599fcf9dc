import type { Micros } from '../base/clock.ts';
import { tickersPerMinute } from './minute-book.ts';
import { levelOf, MinuteSource } from './minute-source.ts';
import type { Minute } from './minute-source.ts';
import { singlesPerMinute } from './minute-trades.ts';
import { addSums, emptySum, sumOfMinute, sumOfTrades } from './trade-sum.ts';
import type { TradeSum } from './trade-sum.ts';
import type { SymbolProfile } from './symbol-profile.ts';
import { epoch, minuteMicros, secondMicros } from './symbol-time.ts';

/** An aggregate trade of the generated market. */
export type Print = {
  readonly id: number;
  readonly firstTradeId: number;
  readonly lastTradeId: number;
  /** Ticks. */
  readonly price: number;
  /** Lots. */
  readonly lots: number;
  readonly time: Micros;
  /** When the exchange sends it: a few milliseconds later. */
  readonly sentTime: Micros;
  readonly isTakerSell: boolean;
};

/** The best bid and ask of the generated market, in ticks and lots. */
export type Quote = {
  readonly updateId: number;
  readonly time: Micros;
  readonly bidPrice: number;
  readonly bidLots: number;
  readonly askPrice: number;
  readonly askLots: number;
};

const hoursPerDay = 24;
/** Sums of hours kept: enough for 500 klines of 12 hours, about 1 MB. All go when there are more. */
const keptHours = 6_000;

/**
 * The whole market of one symbol as a pure function of seed and time. Trades are numbered from 0
 * without a hole: each hour holds the same number of them, in the same number of active minutes, so
 * that an id and a time are converted into each other by arithmetic, however far in the past.
 */
export class SymbolMarket {
  readonly profile: SymbolProfile;
  readonly #minutes: MinuteSource;
  readonly #perMinute: number;
  readonly #perHour: number;
  readonly #perDay: number;
  readonly #singlesPerMinute: number;
  readonly #tickersPerMinute: number;
  /** The sums of whole hours and days that were asked for. There are only so many days. */
  readonly #hours = new Map<number, TradeSum>();
  readonly #days = new Map<number, TradeSum>();

  constructor(seed: string, profile: SymbolProfile) {
    this.profile = profile;
    this.#minutes = new MinuteSource(seed, profile);
    this.#perMinute = profile.tradesPerMinute;
    this.#perHour = this.#perMinute * profile.activeMinutes;
    this.#perDay = this.#perHour * hoursPerDay;
    this.#singlesPerMinute = singlesPerMinute(profile);
    this.#tickersPerMinute = tickersPerMinute(profile);
  }

  /** How many trades were matched before `time`: the id of the first one at or after it. */
  tradesBefore(time: Micros): number {
    return this.#count(time, (minute, offset) => lowerBound(minute.pattern.tradeTimes, offset));
  }

  /** How many trades have been sent until `time`, that instant included. */
  tradesSentBy(time: Micros): number {
    return this.#count(time, (minute, offset) => lowerBound(minute.pattern.sentTimes, offset + 1));
  }

  #count(time: Micros, within: (minute: Minute, offset: number) => number): number {
    if (time < epoch) return 0;
    const index = Math.floor((time - epoch) / minuteMicros);
    const minute = this.#minutes.at(index);
    const before = minute.activeBefore * this.#perMinute;
    return minute.isActive ? before + within(minute, (time - epoch) % minuteMicros) : before;
  }

  /** The trade with this id, which must not be negative. */
  trade(id: number): Print {
    const minute = this.#minuteOf(id);
    const index = id % this.#perMinute;
    const { pattern, activity } = minute;
    const time = pattern.tradeTimes[index] ?? 0;
    const singles = minute.activeBefore * this.#singlesPerMinute;
    return {
      id,
      firstTradeId: singles + (pattern.singlesBefore[index] ?? 0),
      lastTradeId: singles + (pattern.singlesBefore[index + 1] ?? 0) - 1,
      price: levelOf(minute, Math.floor(time / secondMicros)) + (pattern.tradeOffsets[index] ?? 0),
      lots: (pattern.tradeLots[index] ?? 0) * activity,
      time: minute.openTime + time,
      sentTime: minute.openTime + (pattern.sentTimes[index] ?? 0),
      isTakerSell: pattern.takerSold[index] === 1,
    };
  }

  #minuteOf(id: number): Minute {
    const hour = Math.floor(id / this.#perHour);
    const active = Math.floor((id % this.#perHour) / this.#perMinute);
    return this.#minutes.at(this.#minutes.activeMinute(hour, active));
  }

  /** What the trades from `from` up to but without `to` add up to. */
  sum(from: number, to: number): TradeSum {
    let sum = emptySum;
    for (let id = from; id < to;) {
      const [part, end] = this.#largestPart(id, to);
      sum = addSums(sum, part);
      id = end;
    }
    return sum;
  }

  /** The sum of the largest day, hour or piece of a minute that begins at `from`, and its end. */
  #largestPart(from: number, to: number): readonly [TradeSum, end: number] {
    const isWhole = (length: number) => from % length === 0 && from + length <= to;
    if (isWhole(this.#perDay)) {
      const sum = this.#kept(this.#days, from / this.#perDay, this.#perDay);
      return [sum, from + this.#perDay];
    }
    if (isWhole(this.#perHour)) {
      if (this.#hours.size >= keptHours) this.#hours.clear();
      const sum = this.#kept(this.#hours, from / this.#perHour, this.#perHour);
      return [sum, from + this.#perHour];
    }
    const minute = this.#minuteOf(from);
    const index = from % this.#perMinute;
    const length = Math.min(to - from, this.#perMinute - index);
    if (length === this.#perMinute) return [sumOfMinute(minute), from + length];
    return [sumOfTrades(minute, index, index + length), from + length];
  }

  #kept(sums: Map<number, TradeSum>, place: number, length: number): TradeSum {
    let sum = sums.get(place);
    if (sum !== undefined) return sum;
    sum = emptySum;
    for (let id = place * length; id < (place + 1) * length; id += this.#perMinute) {
      sum = addSums(sum, sumOfMinute(this.#minuteOf(id)));
    }
    sums.set(place, sum);
    return sum;
  }

  /** How many quotes were shown until `time`, that instant included. */
  quotesBy(time: Micros): number {
    if (time < epoch) return 0;
    const index = Math.floor((time - epoch) / minuteMicros);
    const offset = (time - epoch) % minuteMicros;
    const { tickerTimes } = this.#minutes.at(index).pattern;
    return index * this.#tickersPerMinute + lowerBound(tickerTimes, offset + 1);
  }

  /** The quote with this number, counted from 0; its update id is one higher. */
  quote(number: number): Quote {
    const minute = this.#minutes.at(Math.floor(number / this.#tickersPerMinute));
    const index = number % this.#tickersPerMinute;
    const { pattern } = minute;
    const time = pattern.tickerTimes[index] ?? 0;
    const bid = levelOf(minute, Math.floor(time / secondMicros)) + (pattern.bidOffsets[index] ?? 0);
    return {
      updateId: number + 1,
      time: minute.openTime + time,
      bidPrice: bid,
      bidLots: pattern.bidLots[index] ?? 0,
      askPrice: bid + (pattern.spreads[index] ?? 0),
      askLots: pattern.askLots[index] ?? 0,
    };
  }
}

/** The number of values below `limit` in a rising list. */
function lowerBound(values: Int32Array, limit: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
