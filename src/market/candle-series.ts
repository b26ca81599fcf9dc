import type { Micros } from '../base/clock.ts';
import { CandleSum } from '../domain/candle-sum.ts';
import type { Candle } from '../domain/candle.ts';
import { closeTimeOf, openTimeOf } from '../domain/timeframe.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { Trade } from '../domain/trade.ts';
import { addLate, repair } from './candle-revisions.ts';
import { CandleSlots } from './candle-slots.ts';
import type { CandleSlotsOptions } from './candle-slots.ts';
import { allOpen, openCandleAt, takeChanged } from './open-candles.ts';
import type { Slot, TimeframeSeries } from './timeframe-series.ts';
import type { TradeIds } from './trade-ids.ts';

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

  constructor(options: CandleSlotsOptions) {
    this.#options = options;
    this.#slots = new CandleSlots(options);
  }

  get ids(): TradeIds {
    return this.#slots.ids;
  }

  /**
   * Begins with what the exchange says was the last trade at the time `observedFrom`: a known price
   * and a known id, so that flat candles and gaps are known before the first trade comes. Does
   * nothing but count the trade when the series has begun already.
   * @returns whether the trade had not been seen
   */
  begin(lastTrade: Trade, observedFrom: Micros, now: Micros): boolean {
    const { lowestId } = this.ids;
    if (lowestId !== undefined && lastTrade.id < lowestId) {
      this.#extendBack(lastTrade, now);
      return true;
    }
    if (lowestId === undefined) this.#firstId = lastTrade.id;
    if (lowestId !== undefined || lastTrade.exchangeTime >= openTimeOf('1s', observedFrom)) {
      return this.add(lastTrade, now);
    }
    this.#slots.priceBefore = lastTrade.price;
    this.ids.add(lastTrade.id, lastTrade.exchangeTime, now);
    this.#startAt(observedFrom);
    for (const series of this.#slots.all) {
      if (openTimeOf(series.timeframe, observedFrom) > lastTrade.exchangeTime) continue;
      const slot = series.ensure(lastTrade.exchangeTime);
      slot.sum.add(lastTrade);
      slot.isDirty = true;
    }
    return true;
  }

  /**
   * Adds a trade, in whatever order trades come.
   * @returns false for a duplicate and for one from before the observation or the retention
   */
  add(trade: Trade, now: Micros): boolean {
    const { id, exchangeTime: time } = trade;
    const closedThrough = this.#slots.closedThrough ?? this.#startAt(time);
    if (this.ids.has(id) || id < this.#firstId) return false;
    if (time <= closedThrough - this.#options.retention) return false;
    const changed = this.ids.add(id, time, now);
    const current = this.#current;
    if (current !== undefined && time >= current.openTime && time < current.closeTime) {
      current.sum.add(trade);
      current.isDirty = true;
    } else if (time >= closedThrough) {
      const slot = this.#slots.seconds.ensure(time);
      slot.sum.add(trade);
      slot.isDirty = true;
      this.#current = slot;
    } else {
      addLate(this.#slots, trade);
    }
    if (changed !== undefined) {
      repair(this.#slots, changed);
      for (const gap of this.ids.takeFilled()) this.#options.publish(gap);
    }
    return true;
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
    const { all, seconds, closedThrough } = this.#slots;
    const series = all.find((series) => series.timeframe === timeframe);
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

  #startAt(time: Micros): Micros {
    const start = openTimeOf('1s', time);
    this.#slots.closedThrough = start;
    this.#slots.observedFrom = Math.min(this.#slots.observedFrom, start);
    for (const [index, { timeframe }] of this.#slots.longer.entries()) {
      this.#nextClose[index] = closeTimeOf(timeframe, openTimeOf(timeframe, start));
    }
    return start;
  }

  /** Counts a trade from before the first one: it shows since when nothing was missed. */
  #extendBack(trade: Trade, now: Micros): void {
    const { seconds, all, closedThrough = 0 } = this.#slots;
    this.#firstId = trade.id;
    this.#slots.priceBefore ??= trade.price;
    const changed = this.ids.add(trade.id, trade.exchangeTime, now);
    const isSecondOpen = trade.exchangeTime >= closedThrough;
    for (const series of isSecondOpen ? [seconds] : all) {
      const slot = isSecondOpen ? series.ensure(trade.exchangeTime) : series.at(trade.exchangeTime);
      if (slot === undefined) continue;
      slot.sum.add(trade);
      if (slot.closed === undefined) slot.isDirty = true;
      else this.#slots.close(series, slot);
    }
    if (changed !== undefined) repair(this.#slots, changed);
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
