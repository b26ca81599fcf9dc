import type { Micros } from '../base/clock.ts';
import { CandleSum } from '../domain/candle-sum.ts';
import type { Slot, TimeframeSeries } from './timeframe-series.ts';

const second: Micros = 1_000_000;

/** A sum that covers a candle's time; it is whole when `wholeThrough` is its end, see Slot. */
export type Piece = Pick<Slot, 'sum' | 'closeTime' | 'wholeThrough'>;

/**
 * As many blocks of a length as the seconds that a market holds can have, 70 minutes of 5 s, and some
 * more; beyond it those that were made first are let go.
 */
const mostBlocks = 1_024;

/**
 * Sums of several closed seconds, as the statistics of prices need them between a second and a
 * minute. One is made when it is first asked for, and forgotten when one of its seconds changes.
 */
export class SecondBlocks {
  readonly #seconds: TimeframeSeries;
  readonly #byLength = new Map<Micros, Map<Micros, Piece>>();

  constructor(seconds: TimeframeSeries) {
    this.#seconds = seconds;
  }

  /** The block that opens at `time`; undefined where one of its seconds is not `isUsable`. */
  at(length: Micros, time: Micros, isUsable: (second: Slot) => boolean): Piece | undefined {
    let blocks = this.#byLength.get(length);
    const known = blocks?.get(time);
    if (known !== undefined) return known;
    const closeTime = time + length;
    const sum = new CandleSum();
    for (let openTime = time; openTime < closeTime; openTime += second) {
      const slot = this.#seconds.at(openTime);
      if (slot === undefined || !isUsable(slot)) return undefined;
      sum.mergePrices(slot.sum);
    }
    if (blocks === undefined) this.#byLength.set(length, (blocks = new Map()));
    const [oldest] = blocks.keys();
    if (blocks.size >= mostBlocks && oldest !== undefined) blocks.delete(oldest);
    // Whether it is whole is asked of the ids each time, as of a second.
    const block = { sum, closeTime, wholeThrough: time };
    blocks.set(time, block);
    return block;
  }

  /** A second has changed. */
  forget(openTime: Micros): void {
    for (const [length, blocks] of this.#byLength) {
      blocks.delete(Math.floor(openTime / length) * length);
    }
  }
}
