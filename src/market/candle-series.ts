import type { Micros } from '../base/clock.ts';
import type { Decimal } from '../base/decimal.ts';
import { CandleSum } from '../domain/candle-sum.ts';
import type { Candle } from '../domain/candle.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import { closeTimeOf, openTimeOf, timeframes } from '../domain/timeframe.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { Trade } from '../domain/trade.ts';
import type { MarketUpdateHandler } from './market-update.ts';
import { TimeframeSeries, priceAfter } from './timeframe-series.ts';
import type { Slot } from './timeframe-series.ts';
import { TradeIds } from './trade-ids.ts';
import type { TimeSpan } from './trade-ids.ts';

const second = 1_000_000;

export type CandleSeriesOptions = {
  readonly instrument: InstrumentName;
  readonly run: Micros;
  /** How long 1s candles can be revised, and how long the others. */
  readonly secondsRetention: Micros;
  readonly retention: Micros;
  /** How old a missing id must be to count as a gap. */
  readonly gapMaturityMs: number;
  readonly publish: MarketUpdateHandler;
};

/**
 * The candles of one instrument in all timeframes.
 *
 * A trade is added to its 1s candle only. When a second closes, its sum is merged into the longer
 * candles, and each of those that ends there closes, too. A trade that comes after its second has
 * closed is added to every candle it falls into. The series neither reads a clock nor decides when a
 * second is over: `closeThrough` says so.
 */
export class CandleSeries {
  readonly ids: TradeIds;
  readonly #options: CandleSeriesOptions;
  readonly #seconds: TimeframeSeries;
  readonly #longer: readonly TimeframeSeries[];
  readonly #all: readonly TimeframeSeries[];
  /** When each of `#longer` closes next. */
  readonly #nextClose: Micros[] = [];
  /** The second that the last trade fell into: the next one most often does, too. */
  #current: Slot | undefined;
  /** Every second before this is closed; undefined until there is a known price. */
  #closedThrough: Micros | undefined;
  /** The last price known from before the first slot. */
  #priceBefore: Decimal | undefined;
  /** The ids below this came before observation began, and are left out. */
  #firstId = 0;

  constructor(options: CandleSeriesOptions) {
    this.#options = options;
    this.ids = new TradeIds(options.instrument, options.gapMaturityMs);
    this.#all = timeframes.map(
      (timeframe) =>
        new TimeframeSeries(
          timeframe,
          timeframe === '1s' ? options.secondsRetention : options.retention,
        ),
    );
    this.#seconds = this.#all[0] as TimeframeSeries;
    this.#longer = this.#all.slice(1);
  }

  /** Everything that ends at or before this is closed. */
  get closedThrough(): Micros | undefined {
    return this.#closedThrough;
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
    this.#priceBefore = lastTrade.price;
    this.ids.add(lastTrade.id, lastTrade.exchangeTime, now);
    this.#startAt(observedFrom);
    for (const series of this.#all) {
      const { timeframe } = series;
      if (openTimeOf(timeframe, observedFrom) > lastTrade.exchangeTime) continue;
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
    if (this.#closedThrough === undefined) this.#startAt(time);
    const closedThrough = this.#closedThrough ?? time;
    if (this.ids.has(id) || id < this.#firstId) return false;
    if (time <= closedThrough - this.#options.retention) return false;
    const changed = this.ids.add(id, time, now);
    const current = this.#current;
    if (current !== undefined && time >= current.openTime && time < current.closeTime) {
      current.sum.add(trade);
      current.isDirty = true;
    } else if (time >= closedThrough) {
      const slot = this.#seconds.ensure(time);
      slot.sum.add(trade);
      slot.isDirty = true;
      this.#current = slot;
    } else {
      this.#addLate(trade, closedThrough);
    }
    if (changed !== undefined) this.#repair(changed);
    for (const gap of this.ids.takeFilled()) this.#options.publish(gap);
    return true;
  }

  /** Closes, in order of time, every candle that ends at or before `time`. */
  closeThrough(time: Micros): void {
    if (this.#closedThrough === undefined) return;
    const end = openTimeOf('1s', time);
    for (let opened = this.#closedThrough; opened < end; opened += second)
      this.#closeSecond(opened);
  }

  /** Publishes the missing ids that have become gaps, and what they make incomplete. */
  announceGaps(now: Micros): void {
    for (const gap of this.ids.announce(now)) {
      this.#options.publish(gap);
      this.#repair(gap);
    }
  }

  /** Publishes the open candles that changed since the last call. */
  flush(): void {
    const closedThrough = this.#closedThrough;
    if (closedThrough === undefined) return;
    const dirty: Micros[] = [];
    for (const slot of this.#openSlots(this.#seconds, closedThrough)) {
      if (slot.isDirty) dirty.push(slot.openTime);
    }
    for (const series of this.#all) {
      const openTimes = new Set(dirty.map((time) => openTimeOf(series.timeframe, time)));
      for (const slot of this.#openSlots(series, closedThrough)) {
        if (slot.isDirty) openTimes.add(slot.openTime);
        slot.isDirty = false;
      }
      for (const openTime of openTimes) {
        const candle = this.#openCandleAt(series, openTime, closedThrough);
        if (candle !== undefined) this.#options.publish({ type: 'candle', candle });
      }
    }
  }

  /**
   * The open candle of a timeframe at `now`, flat where it has no trade yet; undefined before the
   * first known price.
   */
  openCandle(timeframe: Timeframe, now: Micros): Candle | undefined {
    const series = this.#all.find((series) => series.timeframe === timeframe);
    if (series === undefined || this.#closedThrough === undefined) return undefined;
    const latest = Math.max(now, this.#closedThrough, this.#seconds.last?.openTime ?? 0);
    return this.#openCandleAt(series, openTimeOf(timeframe, latest), this.#closedThrough, true);
  }

  /** Publishes the open candles a last time: nothing more will be observed after `now`. */
  end(now: Micros): void {
    const closedThrough = this.#closedThrough;
    if (closedThrough === undefined) return;
    for (const series of this.#all) {
      const openTimes = new Set(
        [
          ...this.#openSlots(this.#seconds, closedThrough),
          ...this.#openSlots(series, closedThrough),
        ].map(({ openTime }) => openTimeOf(series.timeframe, openTime)),
      );
      for (const openTime of [...openTimes].toSorted((a, b) => a - b)) {
        const candle = this.#openCandleAt(series, openTime, closedThrough);
        if (candle === undefined) continue;
        const isPartial = candle.isPartial || candle.closeTime > now;
        this.#options.publish({ type: 'candle', candle: { ...candle, isPartial } });
      }
    }
  }

  #startAt(time: Micros): void {
    this.#closedThrough = openTimeOf('1s', time);
    for (const [index, { timeframe }] of this.#longer.entries()) {
      this.#nextClose[index] = closeTimeOf(timeframe, openTimeOf(timeframe, time));
    }
  }

  /** Counts a trade from before the first one: it shows since when nothing was missed. */
  #extendBack(trade: Trade, now: Micros): void {
    this.#firstId = trade.id;
    const changed = this.ids.add(trade.id, trade.exchangeTime, now);
    this.#priceBefore ??= trade.price;
    const isSecondOpen = trade.exchangeTime >= (this.#closedThrough ?? 0);
    for (const series of isSecondOpen ? [this.#seconds] : this.#all) {
      const slot = isSecondOpen ? series.ensure(trade.exchangeTime) : series.at(trade.exchangeTime);
      if (slot === undefined) continue;
      slot.sum.add(trade);
      if (slot.closed === undefined) slot.isDirty = true;
      else this.#close(series, slot);
    }
    if (changed !== undefined) this.#repair(changed);
  }

  #closeSecond(openTime: Micros): void {
    const closeTime = openTime + second;
    this.#closedThrough = closeTime;
    if (this.#current?.openTime === openTime) this.#current = undefined;
    const { sum } = this.#seconds.at(openTime) ?? emptySlot;
    if (sum.tradeCount > 0) {
      for (const series of this.#longer) series.ensure(openTime).sum.merge(sum);
    }
    this.#closeAt(this.#seconds, openTime);
    this.ids.forgetBefore(closeTime - this.#options.retention);
    for (let index = 0; index < this.#longer.length; index++) {
      if (this.#nextClose[index] !== closeTime) continue;
      const series = this.#longer[index] as TimeframeSeries;
      this.#closeAt(series, openTime);
      this.#nextClose[index] = closeTimeOf(series.timeframe, closeTime);
    }
  }

  /** Closes the candle that `time` falls into; a flat one is made where there was no trade. */
  #closeAt(series: TimeframeSeries, time: Micros): void {
    const slot = series.at(time) ?? this.#flatSlot(series, time);
    if (slot !== undefined) this.#close(series, slot);
    series.trim(time);
  }

  /** A slot without trades; undefined where no price is known or trades are missing. */
  #flatSlot(series: TimeframeSeries, time: Micros): Slot | undefined {
    const { timeframe } = series;
    const openTime = openTimeOf(timeframe, time);
    if (this.ids.hasHoles && this.ids.isMissingIn(openTime, closeTimeOf(timeframe, openTime))) {
      return undefined;
    }
    const isFirst = series.slots.length === 0;
    if (isFirst && this.#priceBefore === undefined) return undefined;
    const slot = series.ensure(time);
    if (isFirst) slot.flatPrice = this.#priceBefore ?? 0n;
    return slot;
  }

  /** Publishes a slot as closed: for the first time, or again with a higher revision. */
  #close(series: TimeframeSeries, slot: Slot): void {
    slot.revision++;
    slot.isDirty = false;
    const candle = this.#candleOf(series.timeframe, slot, slot.sum, true);
    slot.closed = candle;
    this.#options.publish({ type: 'candle', candle });
  }

  /** Adds a trade whose second is closed to every candle that it falls into and that is held. */
  #addLate(trade: Trade, closedThrough: Micros): void {
    const { exchangeTime: time } = trade;
    for (const series of this.#all) {
      if (!series.retains(time, closedThrough)) continue;
      const slot = series.ensure(time);
      const priceBefore = priceAfter(slot);
      slot.sum.add(trade);
      if (slot.closeTime > closedThrough) {
        slot.isDirty = true;
        continue;
      }
      this.#close(series, slot);
      if (slot.revision === 1 || priceAfter(slot) !== priceBefore) this.#carry(series, slot);
    }
  }

  /** Carries a changed close on into the flat candles that follow without a break. */
  #carry(series: TimeframeSeries, from: Slot): void {
    const price = priceAfter(from);
    let { closeTime } = from;
    for (let index = series.indexAt(from.openTime) + 1; index < series.slots.length; index++) {
      const slot = series.slots[index] as Slot;
      if (slot.openTime !== closeTime || slot.sum.tradeCount > 0) return;
      if (slot.flatPrice === price) return;
      slot.flatPrice = price;
      if (slot.closed !== undefined) this.#close(series, slot);
      closeTime = slot.closeTime;
    }
  }

  /**
   * Brings the closed candles of a span in line with what is now known to be missing: those whose
   * flags changed are published again, and flat ones are made where nothing is missing any more.
   */
  #repair(span: TimeSpan): void {
    const closedThrough = this.#closedThrough ?? 0;
    for (const series of this.#all) {
      const [first] = series.slots;
      if (first === undefined) continue;
      const from = Math.max(span.fromTime, first.openTime);
      const end = Math.min(span.toTime + 1, closedThrough);
      let openTime = openTimeOf(series.timeframe, from);
      while (openTime < end) {
        const closeTime = closeTimeOf(series.timeframe, openTime);
        if (closeTime <= closedThrough) this.#repairAt(series, openTime, closedThrough);
        openTime = closeTime;
      }
    }
  }

  #repairAt(series: TimeframeSeries, openTime: Micros, closedThrough: Micros): void {
    const slot = series.at(openTime);
    if (slot === undefined) {
      if (!series.retains(openTime, closedThrough)) return;
      const flat = this.#flatSlot(series, openTime);
      if (flat !== undefined) this.#close(series, flat);
      return;
    }
    const { closed } = slot;
    if (closed === undefined) return;
    const now = this.#candleOf(series.timeframe, slot, slot.sum, true);
    if (now.isComplete !== closed.isComplete || now.isPartial !== closed.isPartial) {
      this.#close(series, slot);
    }
  }

  /** The slots that are not closed yet, latest first: they are the last few. */
  *#openSlots(series: TimeframeSeries, closedThrough: Micros): Iterable<Slot> {
    for (let index = series.slots.length - 1; index >= 0; index--) {
      const slot = series.slots[index] as Slot;
      if (slot.closeTime <= closedThrough) return;
      yield slot;
    }
  }

  /** An open candle as it is now: what was merged into it and the seconds that are open still. */
  #openCandleAt(
    series: TimeframeSeries,
    openTime: Micros,
    closedThrough: Micros,
    orFlat = false,
  ): Candle | undefined {
    const closeTime = closeTimeOf(series.timeframe, openTime);
    if (closeTime <= closedThrough) return undefined;
    const held = series.at(openTime);
    const sum = new CandleSum();
    if (held !== undefined) sum.merge(held.sum);
    if (series !== this.#seconds) {
      for (const slot of this.#openSlots(this.#seconds, closedThrough)) {
        if (slot.openTime >= openTime && slot.openTime < closeTime) sum.merge(slot.sum);
      }
    }
    if (sum.tradeCount > 0) return this.#candleOf(series.timeframe, { openTime, closeTime }, sum);
    const price = this.#priceBeforeSlot(series, openTime);
    if (!orFlat || price === undefined) return undefined;
    return this.#candleOf(series.timeframe, { openTime, closeTime, flatPrice: price }, sum);
  }

  #priceBeforeSlot(series: TimeframeSeries, openTime: Micros): Decimal | undefined {
    const before = series.slots.findLast((slot) => slot.openTime < openTime);
    return before === undefined ? this.#priceBefore : priceAfter(before);
  }

  #candleOf(
    timeframe: Timeframe,
    slot: Pick<Slot, 'openTime' | 'closeTime'> & Partial<Pick<Slot, 'flatPrice' | 'revision'>>,
    sum: CandleSum,
    isClosed = false,
  ): Candle {
    const { openTime, closeTime } = slot;
    const isFlat = sum.tradeCount === 0;
    const flatPrice = slot.flatPrice ?? 0n;
    return {
      instrument: this.#options.instrument,
      timeframe,
      openTime,
      closeTime,
      open: isFlat ? flatPrice : sum.open,
      high: isFlat ? flatPrice : sum.high,
      low: isFlat ? flatPrice : sum.low,
      close: isFlat ? flatPrice : sum.close,
      volume: sum.volume,
      quoteVolume: sum.quoteVolume,
      takerBuyVolume: sum.takerBuyVolume,
      takerBuyQuoteVolume: sum.takerBuyQuoteVolume,
      tradeCount: sum.tradeCount,
      priceSum: sum.priceSum,
      firstTradeId: isFlat ? undefined : sum.firstTradeId,
      lastTradeId: isFlat ? undefined : sum.lastTradeId,
      isClosed,
      isComplete: !(this.ids.hasHoles && this.ids.isMissingIn(openTime, closeTime)),
      isPartial: openTime <= (this.ids.observedFrom ?? openTime),
      revision: slot.revision ?? 0,
      run: this.#options.run,
      source: sum.source,
    };
  }
}

const emptySlot = { sum: new CandleSum() };
