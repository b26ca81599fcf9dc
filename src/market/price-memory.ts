import type { Micros } from '../base/clock.ts';
import { CandleSum } from '../domain/candle-sum.ts';
import type { CandleSlots } from './candle-slots.ts';
import type { InstrumentState } from './instrument-state.ts';
import { levels } from './price-pieces.ts';
import type { PieceSource } from './price-pieces.ts';
import type { Piece } from './second-blocks.ts';
import type { Slot, TimeframeSeries } from './timeframe-series.ts';

const second: Micros = 1_000_000;

/** The candles of one instrument that the market holds, open ones too, as pieces of a window. */
export class PriceMemory implements PieceSource {
  readonly #slots: CandleSlots;
  readonly #byLevel: readonly (TimeframeSeries | undefined)[];
  readonly #isUsable = (slot: Slot) => slot.closeTime <= this.#closedThrough && this.isWhole(slot);
  #closedThrough: Micros = 0;
  /** No second that opens before this can be revised any more: what it says may not be all. */
  #oldestSecond: Micros = 0;
  #oldest: Micros = 0;
  #heardThrough: Micros = 0;

  constructor(slots: CandleSlots) {
    this.#slots = slots;
    this.#byLevel = levels.map(({ timeframe }) =>
      timeframe === undefined ? undefined : slots.of(timeframe),
    );
  }

  /** Whether these are the slots that it reads. */
  isOf(slots: CandleSlots): boolean {
    return slots === this.#slots;
  }

  /**
   * Takes note of how things are now: to be called before pieces are asked for.
   * @returns up to where the exchange has been heard; 0 where the feed does not deliver
   */
  look({ clock, connection, isContinuous, lastProbeTime }: InstrumentState): Micros {
    const { closedThrough = 0, options } = this.#slots;
    this.#closedThrough = closedThrough;
    this.#oldestSecond = closedThrough - options.secondsRetention;
    this.#oldest = closedThrough - options.retention;
    const heard = Math.max(connection?.lastDataTime ?? 0, lastProbeTime ?? 0);
    const isHeard = connection?.isOpen === true && isContinuous && closedThrough > 0 && heard > 0;
    this.#heardThrough = isHeard ? (Math.floor(clock.at(heard) / second) + 1) * second : 0;
    return this.#heardThrough;
  }

  at(level: number, time: Micros): Piece | undefined {
    if (time < (level < firstMinutes ? this.#oldestSecond : this.#oldest)) return undefined;
    const series = this.#byLevel[level];
    const { length } = levels[level] as (typeof levels)[number];
    if (series === undefined) return this.#slots.blocks.at(length, time, this.#isUsable);
    const slot = slotAt(series, length, time);
    if (slot !== undefined || level > 0) return slot;
    // The running second and those that wait for their evidence: nothing was traded in them so far.
    if (time < this.#closedThrough || time >= this.#heardThrough) return undefined;
    return { sum: empty, closeTime: time + second, wholeThrough: time };
  }

  endOf(level: number, { closeTime }: Piece): Micros {
    // An open candle holds the seconds that have closed; open seconds stand for themselves.
    return level === 0 ? closeTime : Math.min(closeTime, this.#closedThrough);
  }

  isWhole(piece: Piece): boolean {
    return this.#slots.isComplete(piece) && !this.#slots.isPartial(piece);
  }

  isComplete(piece: Piece): boolean {
    return this.#slots.isComplete(piece);
  }

  nextOpen(level: number, time: Micros): Micros {
    const series = this.#byLevel[level];
    const next = series === undefined ? Infinity : firstAfter(series, time);
    if (level > 0 || this.#heardThrough <= this.#closedThrough) return next;
    return this.#closedThrough > time ? Math.min(next, this.#closedThrough) : next;
  }
}

const empty = new CandleSum();

/** The level of minutes: below are seconds, which are held for a shorter time. */
const firstMinutes = levels.findIndex(({ timeframe }) => timeframe === '1m');

/** The slot that opens at `time`. There is one for every span, but over gaps: its place is known. */
function slotAt(series: TimeframeSeries, length: Micros, time: Micros): Slot | undefined {
  const { slots } = series;
  const first = slots[0];
  if (first === undefined) return undefined;
  const guess = slots[(time - first.openTime) / length];
  if (guess?.openTime === time) return guess;
  const slot = series.at(time);
  return slot?.openTime === time ? slot : undefined;
}

function firstAfter({ slots }: TimeframeSeries, time: Micros): Micros {
  let low = 0;
  let high = slots.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((slots[middle] as Slot).openTime <= time) low = middle + 1;
    else high = middle;
  }
  return slots[low]?.openTime ?? Infinity;
}
