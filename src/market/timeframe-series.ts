import type { Micros } from '../base/clock.ts';
import type { Decimal } from '../base/decimal.ts';
import { CandleSum } from '../domain/candle-sum.ts';
import type { Candle } from '../domain/candle.ts';
import { closeTimeOf, openTimeOf } from '../domain/timeframe.ts';
import type { TimeSpan } from './trade-ids.ts';
import type { Timeframe } from '../domain/timeframe.ts';

/** A candle in the making, or one that may still be revised. */
export type Slot = {
  readonly openTime: Micros;
  /** The first instant after it. */
  readonly closeTime: Micros;
  sum: CandleSum;
  /** Spans whose trades came as a sum from elsewhere: one of them must not be added again. */
  given: readonly TimeSpan[];
  /** Up to here it is known to be whole, whatever is known of the ids: from klines, say. */
  wholeThrough: Micros;
  /** The price of a slot without trades: the close before it. Not set in the others. */
  flatPrice: Decimal;
  /** 0 while open. */
  revision: number;
  /** Its last published version; undefined while open. */
  closed: Candle | undefined;
  /** Whether it changed since it was last published as an open candle. */
  isDirty: boolean;
};

/** The slots of one timeframe of one instrument, by open time; a span without one is a gap. */
export class TimeframeSeries {
  readonly timeframe: Timeframe;
  readonly #retention: Micros;
  readonly #slots: Slot[] = [];

  constructor(timeframe: Timeframe, retention: Micros) {
    this.timeframe = timeframe;
    this.#retention = retention;
  }

  get slots(): readonly Slot[] {
    return this.#slots;
  }

  get last(): Slot | undefined {
    return this.#slots.at(-1);
  }

  /** The index of the slot that `time` falls into, or -1. */
  indexAt(time: Micros): number {
    const index = this.#indexBefore(time);
    const slot = this.#slots[index];
    return slot !== undefined && time < slot.closeTime ? index : -1;
  }

  at(time: Micros): Slot | undefined {
    const { last } = this;
    // Nearly every question is about the newest slot.
    if (last !== undefined && time >= last.openTime)
      return time < last.closeTime ? last : undefined;
    return this.#slots[this.indexAt(time)];
  }

  /** The last slot that opens before `openTime`. */
  before(openTime: Micros): Slot | undefined {
    return this.#slots[this.#indexBefore(openTime - 1)];
  }

  /** The slot that `time` falls into, made if need be. */
  ensure(time: Micros): Slot {
    const existing = this.at(time);
    if (existing !== undefined) return existing;
    const openTime = openTimeOf(this.timeframe, time);
    const index = this.#indexBefore(openTime);
    const slot: Slot = {
      openTime,
      closeTime: closeTimeOf(this.timeframe, openTime),
      sum: new CandleSum(),
      given: [],
      wholeThrough: openTime,
      flatPrice: 0n,
      revision: 0,
      closed: undefined,
      isDirty: false,
    };
    this.#slots.splice(index + 1, 0, slot);
    return slot;
  }

  /** Whether the slot that `time` falls into may still be held when all before `now` is closed. */
  retains(time: Micros, now: Micros): boolean {
    const { timeframe } = this;
    return closeTimeOf(timeframe, openTimeOf(timeframe, time)) > now - this.#retention;
  }

  /** Lets go of what is older than the retention, in bulk: each removal moves the array. */
  trim(now: Micros): void {
    const first = this.#slots[trimBatch];
    if (first === undefined || first.closeTime > now - this.#retention) return;
    const kept = this.#slots.findIndex(({ closeTime }) => closeTime > now - this.#retention);
    this.#slots.splice(0, kept < 0 ? this.#slots.length - 1 : kept);
  }

  /** The index of the last slot that opens at or before `time`, or -1. */
  #indexBefore(time: Micros): number {
    let low = 0;
    let high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#slots[middle] as Slot).openTime <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

const trimBatch = 256;

/** The price that a slot leaves to the flat ones after it. */
export function priceAfter(slot: Slot): Decimal {
  return slot.sum.tradeCount > 0 ? slot.sum.close : slot.flatPrice;
}
