import type { Micros } from '../base/clock.ts';
import { CandleSum } from '../domain/candle-sum.ts';
import type { Candle } from '../domain/candle.ts';
import { closeTimeOf, openTimeOf } from '../domain/timeframe.ts';
import type { CandleSlots } from './candle-slots.ts';
import type { TimeframeSeries } from './timeframe-series.ts';

// Open candles are not held anywhere: a longer one is what was merged into it and the seconds that
// are open still, put together when somebody wants to see it.

/** The open candles that changed since the last call, shortest timeframe first. */
export function takeChanged(slots: CandleSlots): Candle[] {
  const seconds = [...slots.open(slots.seconds)].filter(({ isDirty }) => isDirty);
  return slots.all.flatMap((series) => {
    const openTimes = seconds.map(({ openTime }) => openTimeOf(series.timeframe, openTime));
    for (const slot of slots.open(series)) {
      if (slot.isDirty && series !== slots.seconds) openTimes.push(slot.openTime);
    }
    const candles = candlesAt(slots, series, openTimes);
    for (const slot of slots.open(series)) slot.isDirty = false;
    return candles;
  });
}

/** All open candles that have trades. */
export function allOpen(slots: CandleSlots): Candle[] {
  const seconds = [...slots.open(slots.seconds)];
  return slots.all.flatMap((series) => {
    const openTimes = [...seconds, ...slots.open(series)].map(({ openTime }) =>
      openTimeOf(series.timeframe, openTime),
    );
    return candlesAt(slots, series, openTimes);
  });
}

/**
 * The open candle that `time` falls into, flat where it has no trade yet; undefined where it is
 * closed and before the first known price.
 */
export function openCandleAt(
  slots: CandleSlots,
  series: TimeframeSeries,
  time: Micros,
): Candle | undefined {
  const { timeframe } = series;
  const openTime = openTimeOf(timeframe, time);
  const closeTime = closeTimeOf(timeframe, openTime);
  if (closeTime <= (slots.closedThrough ?? closeTime)) return undefined;
  const sum = new CandleSum();
  const held = series.at(openTime);
  if (held !== undefined) sum.merge(held.sum);
  if (series !== slots.seconds) {
    for (const second of slots.open(slots.seconds)) {
      if (second.openTime >= openTime && second.openTime < closeTime) sum.merge(second.sum);
    }
  }
  const flatPrice = sum.tradeCount > 0 ? 0n : slots.priceBeforeSlot(series, openTime);
  if (flatPrice === undefined) return undefined;
  const wholeThrough = held?.wholeThrough ?? openTime;
  const shape = { openTime, closeTime, flatPrice, wholeThrough, revision: 0 };
  return slots.candleOf(timeframe, shape, sum, false);
}

function candlesAt(
  slots: CandleSlots,
  series: TimeframeSeries,
  openTimes: readonly Micros[],
): Candle[] {
  return [...new Set(openTimes)]
    .toSorted((a, b) => a - b)
    .map((openTime) => openCandleAt(slots, series, openTime))
    .filter((candle) => candle !== undefined);
}
