import assert from 'node:assert/strict';
import type { Micros } from '../base/clock.ts';
import type { Decimal } from '../base/decimal.ts';
import type { CandleSum } from '../domain/candle-sum.ts';
import type { Candle } from '../domain/candle.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import { closeTimeOf, openTimeOf, timeframes } from '../domain/timeframe.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { MarketUpdateHandler } from './market-update.ts';
import { SecondBlocks } from './second-blocks.ts';
import { TimeframeSeries, priceAfter } from './timeframe-series.ts';
import type { Slot } from './timeframe-series.ts';
import { TradeIds } from './trade-ids.ts';

export type CandleSlotsOptions = {
  readonly instrument: InstrumentName;
  readonly run: Micros;
  /** How long 1s candles can be revised, and how long the others. */
  readonly secondsRetention: Micros;
  readonly retention: Micros;
  /** How old a missing id must be to count as a gap. */
  readonly gapMaturityMs: number;
  readonly publish: MarketUpdateHandler;
};

type Shape = Pick<Slot, 'openTime' | 'closeTime' | 'flatPrice' | 'revision' | 'wholeThrough'>;
/** What says how much of a candle is known. */
type Extent = Pick<Slot, 'closeTime' | 'wholeThrough'>;

/** The slots of one instrument in all timeframes, what is known of its trades, and how one closes. */
export class CandleSlots {
  readonly options: CandleSlotsOptions;
  readonly ids: TradeIds;
  /** The first of them are the seconds; the others are merged from these. */
  readonly all: readonly TimeframeSeries[];
  readonly seconds: TimeframeSeries;
  readonly longer: readonly TimeframeSeries[];
  /** Closed seconds, several in one. */
  readonly blocks: SecondBlocks;
  /** Every second before this is closed; undefined until there is a known price. */
  closedThrough: Micros | undefined;
  /** When the observation began: no candle that ended before this is made of nothing. */
  observedFrom: Micros = Infinity;
  /** From here on all trades are known, but those whose ids are known to be missing. */
  wholeFrom: Micros = Infinity;
  /** The last price known from before the first slot, and since when it was the last. */
  priceBefore: { readonly price: Decimal; readonly time: Micros } | undefined;

  constructor(options: CandleSlotsOptions) {
    this.options = options;
    this.ids = new TradeIds(options.instrument, options.gapMaturityMs);
    this.seconds = new TimeframeSeries('1s', options.secondsRetention);
    this.blocks = new SecondBlocks(this.seconds);
    this.longer = timeframes
      .filter((timeframe) => timeframe !== '1s')
      .map((timeframe) => new TimeframeSeries(timeframe, options.retention));
    this.all = [this.seconds, ...this.longer];
  }

  /** The slots of one timeframe. */
  of(timeframe: Timeframe): TimeframeSeries | undefined {
    return this.all.find((series) => series.timeframe === timeframe);
  }

  /** Closes the candle that `time` falls into; a flat one is made where there was no trade. */
  closeAt(series: TimeframeSeries, time: Micros): void {
    const slot = series.at(time) ?? this.flatSlot(series, time);
    if (slot !== undefined) this.close(series, slot);
    series.trim(time);
  }

  /** Publishes a slot as closed: for the first time, or again with a higher revision. */
  close(series: TimeframeSeries, slot: Slot): void {
    slot.revision++;
    slot.isDirty = false;
    if (series === this.seconds) this.blocks.forget(slot.openTime);
    const candle = this.candleOf(series.timeframe, slot, slot.sum, true);
    slot.closed = candle;
    this.options.publish({ type: 'candle', candle });
  }

  /** Makes a slot without trades; undefined where no price is known or trades are missing. */
  flatSlot(series: TimeframeSeries, time: Micros): Slot | undefined {
    const { timeframe } = series;
    const openTime = openTimeOf(timeframe, time);
    if (this.ids.isMissingIn(openTime, closeTimeOf(timeframe, openTime))) return undefined;
    const price = this.priceBeforeSlot(series, openTime);
    if (price === undefined) return undefined;
    const slot = series.ensure(time);
    slot.flatPrice = price;
    return slot;
  }

  /** The price that was known when a slot opens; undefined where there was none. */
  priceBeforeSlot(series: TimeframeSeries, openTime: Micros): Decimal | undefined {
    const closeTime = closeTimeOf(series.timeframe, openTime);
    const before = series.before(openTime);
    if (before !== undefined) return priceAfter(before);
    const { priceBefore } = this;
    return priceBefore !== undefined && priceBefore.time < closeTime
      ? priceBefore.price
      : undefined;
  }

  /** The slots that are not closed yet, latest first: they are the last few. */
  *open(series: TimeframeSeries): Iterable<Slot> {
    for (let index = series.slots.length - 1; index >= 0; index--) {
      const slot = series.slots[index] as Slot;
      if (slot.closeTime <= (this.closedThrough ?? 0)) return;
      yield slot;
    }
  }

  /** Whether no trade of it is known to be missing. */
  isComplete({ closeTime, wholeThrough }: Extent): boolean {
    return wholeThrough >= closeTime || !this.ids.isMissingIn(wholeThrough, closeTime);
  }

  /** Whether the observation began after its open. */
  isPartial({ closeTime, wholeThrough }: Extent): boolean {
    if (wholeThrough >= closeTime || wholeThrough >= this.wholeFrom) return false;
    // A trade before the first one known may have been as early as that one.
    return wholeThrough <= (this.ids.observedFrom ?? wholeThrough);
  }

  /** A version of a candle, as what is known now makes it. */
  candleOf(timeframe: Timeframe, slot: Shape, sum: CandleSum, isClosed: boolean): Candle {
    const { openTime, closeTime, flatPrice } = slot;
    const isFlat = sum.tradeCount === 0;
    const hasIds = !isFlat && sum.source === 'trades';
    assert(!isFlat || flatPrice > 0n, 'A candle without trades has the price before it');
    return {
      instrument: this.options.instrument,
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
      priceSum: sum.source === 'trades' ? sum.priceSum : undefined,
      firstTradeId: hasIds ? sum.firstTradeId : undefined,
      lastTradeId: hasIds ? sum.lastTradeId : undefined,
      isClosed,
      isComplete: this.isComplete(slot),
      isPartial: this.isPartial(slot),
      revision: slot.revision,
      run: this.options.run,
      source: sum.source,
    };
  }
}
