import type { Micros } from '../base/clock.ts';
import { CandleSum } from '../domain/candle-sum.ts';
import type { Candle } from '../domain/candle.ts';
import type { Kline } from '../domain/kline.ts';
import { closeTimeOf, openTimeOf } from '../domain/timeframe.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { Trade } from '../domain/trade.ts';
import { rebuild, settle } from './candle-history.ts';
import { addLate, repair } from './candle-revisions.ts';
import { CandleSlots } from './candle-slots.ts';
import type { CandleSlotsOptions } from './candle-slots.ts';
import { allOpen, openCandleAt, takeChanged } from './open-candles.ts';
import type { Slot, TimeframeSeries } from './timeframe-series.ts';
import type { TimeSpan, TradeIds } from './trade-ids.ts';

const second = 1_000_000;

/**
 * The candles of one instrument in all timeframes.
 *
 * A trade is added to its 1s candle only. When a second closes, its sum is merged into the longer
 * candles, and each of those that ends there closes, too. A trade that comes after its second has
 * closed is added to every candle it falls into. The series neither reads a clock nor decides when a
 * second is over: `closeThrough` says so.
 */
export class CandleSeries {
  readonly #slots: CandleSlots;
  readonly #options: CandleSlotsOptions;
  /** When each of the longer timeframes closes next. */
  readonly #nextClose: Micros[] = [];
  /** The second that the last trade fell into: the next one most often does, too. */
  #current: Slot | undefined;
  /** Trades with lower ids are from before the observation, and left out. */
  #firstId = 0;
  /** The trade that was told as the last one before the observation: known, but in no candle. */
  #told: Trade | undefined;

  constructor(options: CandleSlotsOptions) {
    this.#options = options;
    this.#slots = new CandleSlots(options);
  }

  get ids(): TradeIds {
    return this.#slots.ids;
  }

  /** What is held, for those who read it: nothing of it may be changed from outside. */
  get slots(): CandleSlots {
    return this.#slots;
  }

  /**
   * Begins with what the exchange says was the last trade at the time `observedFrom`: a known price
   * and a known id, so that flat candles and gaps are known before the first trade comes. Does
   * nothing but count the trade when the series has begun already.
   * @returns whether the trade had not been seen
   */
  begin(lastTrade: Trade, observedFrom: Micros, now: Micros): boolean {
    const { lowestId } = this.ids;
    if (lastTrade.id === this.#told?.id) return false;
    if (lowestId !== undefined && lastTrade.id < lowestId) {
      this.#extendBack(lastTrade, now);
      return true;
    }
    if (lowestId === undefined) this.#firstId = lastTrade.id;
    if (lowestId !== undefined || lastTrade.exchangeTime >= openTimeOf('1s', observedFrom)) {
      return this.add(lastTrade, now);
    }
    this.#slots.priceBefore = { price: lastTrade.price, time: lastTrade.exchangeTime };
    this.#told = lastTrade;
    this.ids.add(lastTrade.id, lastTrade.exchangeTime, now);
    if (this.#slots.closedThrough === undefined) this.#startAt(observedFrom);
    return true;
  }

  /**
   * Adds a trade, in whatever order trades come.
   * @returns false for a duplicate and for one from before the observation or the retention
   */
  add(trade: Trade, now: Micros): boolean {
    const { exchangeTime: time } = trade;
    const closedThrough = this.#slots.closedThrough ?? this.#startAt(time);
    if (!this.#isWanted(trade, closedThrough)) return false;
    const changed = this.#count(trade, now);
    const current = this.#current;
    if (current !== undefined && time >= current.openTime && time < current.closeTime) {
      current.sum.add(trade);
      current.isDirty = true;
    } else if (time >= closedThrough) {
      this.#addToSecond(trade);
    } else {
      addLate(this.#slots, [trade]);
    }
    if (changed !== undefined) this.#changed(changed);
    return true;
  }

  /**
   * Adds trades that were missing, lowest id first. With `wholeFrom` they reach back to that time:
   * from then on every trade is known.
   * @returns those that had not been seen
   */
  recover(trades: readonly Trade[], wholeFrom: Micros | undefined, now: Micros): readonly Trade[] {
    const [first] = trades;
    const closedThrough =
      this.#slots.closedThrough ?? this.#startAt(first?.exchangeTime ?? wholeFrom ?? now);
    if (wholeFrom !== undefined && first !== undefined) {
      this.#firstId = Math.min(this.#firstId, first.id);
    }
    const wanted = trades.filter((trade) => this.#isWanted(trade, closedThrough));
    const spans = wanted.map((trade) => this.#count(trade, now));
    if (wholeFrom !== undefined && wholeFrom < this.#slots.wholeFrom) {
      spans.push({ fromTime: wholeFrom, toTime: closedThrough });
      this.#slots.wholeFrom = wholeFrom;
      this.#slots.observedFrom = Math.min(this.#slots.observedFrom, wholeFrom);
    }
    for (const trade of wanted) {
      if (trade.exchangeTime >= closedThrough) this.#addToSecond(trade);
    }
    const isLate = ({ exchangeTime }: Trade) => exchangeTime < closedThrough;
    addLate(this.#slots, wanted.filter(isLate));
    const known = spans.filter((span) => span !== undefined);
    if (known.length > 0) {
      this.#changed({
        fromTime: known.reduce((least, { fromTime }) => Math.min(least, fromTime), Infinity),
        toTime: known.reduce((most, { toTime }) => Math.max(most, toTime), -Infinity),
      });
    }
    return wanted;
  }

  /** Gives missing ids up: the exchange has not got them, or klines hold them. */
  giveUp(firstId: number, lastId: number, as: 'absent' | 'settled'): void {
    const changed = this.ids.giveUp(firstId, lastId, as);
    if (changed !== undefined) this.#changed(changed);
  }

  /** Candles from elsewhere hold all trades before `time`, and all below `id` where that is known. */
  settleHoles(time: Micros, id: number | undefined): void {
    if (id !== undefined) this.giveUp(0, id - 1, 'settled');
    const changed = this.ids.settleBefore(time);
    if (changed !== undefined) this.#changed(changed);
  }

  /** Takes whole closed candles from elsewhere where they are better than our own. */
  settle(timeframe: Timeframe, candles: readonly (Kline | Candle)[], isStored: boolean): void {
    const series = this.#slots.of(timeframe);
    if (series !== undefined) settle(this.#slots, series, candles, isStored);
  }

  /** Puts candles that end after `from` together from shorter ones, where that makes them whole. */
  rebuild(from: Micros): void {
    rebuild(this.#slots, from);
  }

  /** The last published version of a closed candle, while it is held. */
  closedCandle(timeframe: Timeframe, openTime: Micros): Candle | undefined {
    const series = this.#slots.of(timeframe);
    return series?.at(openTime)?.closed;
  }

  /** Closes, in order of time, every candle that ends at or before `time`. */
  closeThrough(time: Micros): void {
    if (this.#slots.closedThrough === undefined) return;
    const end = openTimeOf('1s', time);
    const oldest = end - this.#options.retention;
    if (this.#slots.closedThrough < oldest) this.#skipTo(oldest);
    for (let open = this.#slots.closedThrough; open < end; open += second) this.#closeSecond(open);
  }

  /** Publishes the missing ids that have become gaps, and what they make incomplete. */
  announceGaps(now: Micros): void {
    // A hole that was taken for absent as it was found leaves a word, too.
    for (const gap of this.ids.takeEnded()) this.#options.publish(gap);
    for (const gap of this.ids.announce(now)) {
      this.#options.publish(gap);
      repair(this.#slots, gap);
    }
  }

  /** Publishes the open candles that changed since the last call. */
  flush(): void {
    for (const candle of takeChanged(this.#slots)) {
      this.#options.publish({ type: 'candle', candle });
    }
  }

  /**
   * The open candle of a timeframe at `now`, flat where it has no trade yet; undefined before the
   * first known price.
   */
  openCandle(timeframe: Timeframe, now: Micros): Candle | undefined {
    const { seconds, closedThrough } = this.#slots;
    const series = this.#slots.of(timeframe);
    if (series === undefined || closedThrough === undefined) return undefined;
    const latest = Math.max(now, closedThrough, seconds.last?.openTime ?? 0);
    return openCandleAt(this.#slots, series, latest);
  }

  /** Publishes the open candles a last time: nothing more will be observed after `now`. */
  end(now: Micros): void {
    for (const candle of allOpen(this.#slots)) {
      const isPartial = candle.isPartial || candle.closeTime > now;
      this.#options.publish({ type: 'candle', candle: { ...candle, isPartial } });
    }
  }

  #isWanted(trade: Trade, closedThrough: Micros): boolean {
    if (trade.exchangeTime <= closedThrough - this.#options.retention) return false;
    if (trade.id === this.#told?.id) return true;
    return trade.id >= this.#firstId && !this.ids.has(trade.id);
  }

  #count({ id, exchangeTime }: Trade, now: Micros): TimeSpan | undefined {
    if (id !== this.#told?.id) return this.ids.add(id, exchangeTime, now);
    this.#told = undefined;
    return undefined;
  }

  #addToSecond(trade: Trade): void {
    const slot = this.#slots.seconds.ensure(trade.exchangeTime);
    slot.sum.add(trade);
    slot.isDirty = true;
    this.#current = slot;
  }

  /** What is known of completeness changed. */
  #changed(span: TimeSpan): void {
    repair(this.#slots, span);
    for (const gap of this.ids.takeEnded()) this.#options.publish(gap);
  }

  #startAt(time: Micros): Micros {
    const start = openTimeOf('1s', time);
    this.#slots.closedThrough = start;
    this.#slots.observedFrom = Math.min(this.#slots.observedFrom, start);
    for (const [index, { timeframe }] of this.#slots.longer.entries()) {
      this.#nextClose[index] = closeTimeOf(timeframe, openTimeOf(timeframe, start));
    }
    return start;
  }

  /** Takes note of a trade from before the first one: it shows since when nothing was missed. */
  #extendBack(trade: Trade, now: Micros): void {
    this.#firstId = trade.id;
    this.#told = trade;
    this.#slots.priceBefore ??= { price: trade.price, time: trade.exchangeTime };
    const changed = this.ids.add(trade.id, trade.exchangeTime, now);
    if (changed !== undefined) this.#changed(changed);
  }

  #closeSecond(openTime: Micros): void {
    const { seconds, longer } = this.#slots;
    const closeTime = openTime + second;
    this.#slots.closedThrough = closeTime;
    if (this.#current?.openTime === openTime) this.#current = undefined;
    const { sum } = seconds.at(openTime) ?? empty;
    if (sum.tradeCount > 0) {
      for (const series of longer) series.ensure(openTime).sum.merge(sum);
    }
    this.#slots.closeAt(seconds, openTime);
    this.ids.forgetBefore(closeTime - this.#options.retention);
    for (let index = 0; index < longer.length; index++) {
      if (this.#nextClose[index] !== closeTime) continue;
      const series = longer[index] as TimeframeSeries;
      this.#slots.closeAt(series, openTime);
      this.#nextClose[index] = closeTimeOf(series.timeframe, closeTime);
    }
  }

  /**
   * Leaves out the candles of a quiet span that are older than what is retained, as after a clock
   * that jumped: making each of them would take for ever. Those that have trades close.
   */
  #skipTo(time: Micros): void {
    const { seconds, longer, all } = this.#slots;
    for (const { openTime, closeTime, sum } of [...this.#slots.open(seconds)].toReversed()) {
      if (closeTime > time) continue;
      for (const series of longer) series.ensure(openTime).sum.merge(sum);
    }
    for (const series of all) {
      for (const slot of [...this.#slots.open(series)].toReversed()) {
        if (slot.closeTime <= time) this.#slots.close(series, slot);
      }
    }
    this.#current = undefined;
    this.#startAt(time);
  }
}

const empty = { sum: new CandleSum() };
