import type { Micros } from '../base/clock.ts';
import { CandleSum } from '../domain/candle-sum.ts';
import type { Candle } from '../domain/candle.ts';
import type { Kline } from '../domain/kline.ts';
import { openTimeOf } from '../domain/timeframe.ts';
import { carry, repair } from './candle-revisions.ts';
import type { CandleSlots } from './candle-slots.ts';
import { priceAfter } from './timeframe-series.ts';
import type { Slot, TimeframeSeries } from './timeframe-series.ts';

/**
 * Takes closed candles that are whole from elsewhere, where they are better than our own: the
 * exchange's klines, which are published, or candles that are stored already, which are not.
 */
export function settle(
  slots: CandleSlots,
  series: TimeframeSeries,
  candles: readonly (Kline | Candle)[],
  isStored: boolean,
): void {
  const closedThrough = slots.closedThrough ?? 0;
  for (const candle of candles) {
    const { openTime, closeTime } = candle;
    if (closeTime > closedThrough) continue;
    const sum = CandleSum.of(candle);
    if (!series.retains(openTime, closedThrough)) {
      if (!isStored) publishOnly(slots, series, candle, sum);
      continue;
    }
    const held = series.at(openTime);
    if (held !== undefined && !isBetter(slots, held, candle, sum)) continue;
    const slot = series.ensure(openTime);
    const price = priceAfter(slot);
    slot.sum = sum;
    slot.flatPrice = candle.close;
    slot.wholeThrough = closeTime;
    slot.given = [{ fromTime: openTime, toTime: closeTime - 1 }];
    if (series === slots.seconds) slots.blocks.forget(openTime);
    if (isStored && 'revision' in candle) slot.closed = candle;
    else slots.close(series, slot);
    if (priceAfter(slot) !== price) carry(slots, series, slot);
  }
}

/**
 * Puts the longer candles that end after `from` together from shorter ones, where they are not whole
 * and those are: the open ones of a server that has just started among them.
 */
export function rebuild(slots: CandleSlots, from: Micros): void {
  const { closedThrough } = slots;
  if (closedThrough === undefined) return;
  makeFirstSeconds(slots, closedThrough);
  for (const series of slots.longer) {
    const open = openTimeOf(series.timeframe, closedThrough);
    const times = series.slots
      .filter(({ closeTime }) => closeTime > from)
      .map(({ openTime }) => openTime);
    for (const openTime of new Set([...times, open])) {
      rebuildAt(slots, series, openTime, closedThrough);
    }
  }
}

/** The seconds before the first trade are flat, at the price that the candle before them left. */
function makeFirstSeconds(slots: CandleSlots, closedThrough: Micros): void {
  const { wholeFrom } = slots;
  const before = slots.longer
    .map((series) => series.at(wholeFrom - 1))
    .find((slot) => slot?.closeTime === wholeFrom && isWhole(slots, slot));
  if (before === undefined) return;
  slots.priceBefore = { price: priceAfter(before), time: wholeFrom - 1 };
  repair(slots, { fromTime: wholeFrom, toTime: closedThrough });
}

function rebuildAt(
  slots: CandleSlots,
  series: TimeframeSeries,
  openTime: Micros,
  closedThrough: Micros,
): void {
  const held = series.at(openTime);
  if (held !== undefined && slots.isComplete(held) && !slots.isPartial(held)) return;
  const end = Math.min(held?.closeTime ?? closedThrough, closedThrough);
  const parts = partsOf(slots, openTime, end);
  const last = parts?.at(-1);
  if (parts === undefined || last === undefined) return;
  const slot = series.ensure(openTime);
  const price = priceAfter(slot);
  slot.sum = new CandleSum();
  for (const part of parts) slot.sum.merge(part.sum);
  slot.given = parts.flatMap(({ given }) => given);
  slot.flatPrice = priceAfter(last);
  slot.wholeThrough = end;
  if (slot.closeTime > closedThrough) {
    slot.isDirty = true;
    return;
  }
  slots.close(series, slot);
  if (priceAfter(slot) !== price) carry(slots, series, slot);
}

/** Whole closed candles that cover [from, to) without a break, the longest that fit. */
function partsOf(slots: CandleSlots, from: Micros, to: Micros): Slot[] | undefined {
  const parts: Slot[] = [];
  const longestFirst = slots.all.toReversed();
  for (let time = from; time < to;) {
    const part = longestFirst
      .map((series) => series.at(time))
      .find((slot) => slot?.openTime === time && slot.closeTime <= to && isWhole(slots, slot));
    if (part === undefined) return undefined;
    parts.push(part);
    time = part.closeTime;
  }
  return parts;
}

/** Whether a candle from elsewhere tells more than the slot: never where it has fewer trades. */
function isBetter(
  slots: CandleSlots,
  slot: Slot,
  candle: Kline | Candle,
  { tradeCount }: CandleSum,
): boolean {
  const { sum } = slot;
  if (sum.tradeCount !== tradeCount) return tradeCount > sum.tradeCount;
  if (!isWhole(slots, slot)) return true;
  if (tradeCount === 0) return slot.flatPrice !== candle.close;
  return (
    sum.open !== candle.open ||
    sum.high !== candle.high ||
    sum.low !== candle.low ||
    sum.close !== candle.close ||
    sum.volume !== candle.volume ||
    sum.quoteVolume !== candle.quoteVolume ||
    sum.takerBuyVolume !== candle.takerBuyVolume ||
    sum.takerBuyQuoteVolume !== candle.takerBuyQuoteVolume
  );
}

function isWhole(slots: CandleSlots, slot: Slot): boolean {
  return slot.closed !== undefined && slots.isComplete(slot) && !slots.isPartial(slot);
}

/** A candle that is too old to be held, but not to be stored. */
function publishOnly(
  slots: CandleSlots,
  series: TimeframeSeries,
  { openTime, closeTime, close }: Kline | Candle,
  sum: CandleSum,
): void {
  const shape = { openTime, closeTime, flatPrice: close, revision: 1, wholeThrough: closeTime };
  const candle = slots.candleOf(series.timeframe, shape, sum, true);
  slots.options.publish({ type: 'candle', candle });
}
