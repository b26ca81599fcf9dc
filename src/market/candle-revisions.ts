import type { Micros } from '../base/clock.ts';
import type { Decimal } from '../base/decimal.ts';
import { closeTimeOf, openTimeOf } from '../domain/timeframe.ts';
import type { Trade } from '../domain/trade.ts';
import type { CandleSlots } from './candle-slots.ts';
import { priceAfter } from './timeframe-series.ts';
import type { Slot, TimeframeSeries } from './timeframe-series.ts';
import type { TimeSpan } from './trade-ids.ts';

/**
 * Adds trades whose seconds are closed to every candle that they fall into and that is held. Each
 * candle that they change is published once.
 */
export function addLate(slots: CandleSlots, trades: readonly Trade[]): void {
  const closedThrough = slots.closedThrough ?? 0;
  for (const series of slots.all) {
    const changed = new Map<Slot, { readonly isNew: boolean; readonly price: Decimal }>();
    for (const trade of trades) {
      if (!series.retains(trade.exchangeTime, closedThrough)) continue;
      const slot = series.ensure(trade.exchangeTime);
      if (isGiven(slot, trade.exchangeTime)) continue;
      if (slot.closeTime > closedThrough) slot.isDirty = true;
      else if (!changed.has(slot)) {
        changed.set(slot, { isNew: slot.revision === 0, price: priceAfter(slot) });
      }
      slot.sum.add(trade);
    }
    for (const [slot, { isNew, price }] of changed) {
      slots.close(series, slot);
      if (isNew || priceAfter(slot) !== price) carry(slots, series, slot);
    }
  }
}

/**
 * Brings the closed candles of a span in line with what is now known to be missing: those whose
 * flags changed are published again, and flat ones are made where nothing is missing any more.
 */
export function repair(slots: CandleSlots, span: TimeSpan): void {
  const closedThrough = slots.closedThrough ?? 0;
  for (const series of slots.all) {
    const start = Math.min(slots.observedFrom, series.slots[0]?.openTime ?? Infinity);
    const end = Math.min(span.toTime + 1, closedThrough);
    let openTime = openTimeOf(series.timeframe, Math.max(span.fromTime, start));
    while (openTime < end) {
      const closeTime = closeTimeOf(series.timeframe, openTime);
      if (closeTime <= closedThrough) repairAt(slots, series, openTime, closedThrough);
      openTime = closeTime;
    }
  }
}

function repairAt(
  slots: CandleSlots,
  series: TimeframeSeries,
  openTime: Micros,
  closedThrough: Micros,
): void {
  const slot = series.at(openTime);
  if (slot === undefined) {
    if (!series.retains(openTime, closedThrough)) return;
    const flat = slots.flatSlot(series, openTime);
    if (flat !== undefined) slots.close(series, flat);
    return;
  }
  const { closed } = slot;
  if (closed === undefined) return;
  const now = slots.candleOf(series.timeframe, slot, slot.sum, true);
  if (now.isComplete !== closed.isComplete || now.isPartial !== closed.isPartial) {
    slots.close(series, slot);
  }
}

/** Whether what was traded at that time is in the slot already. */
function isGiven({ given }: Slot, time: Micros): boolean {
  return given.some(({ fromTime, toTime }) => time >= fromTime && time <= toTime);
}

/** Carries a changed close on into the flat candles that follow without a break. */
export function carry(slots: CandleSlots, series: TimeframeSeries, from: Slot): void {
  const price = priceAfter(from);
  let { closeTime } = from;
  for (let index = series.indexAt(from.openTime) + 1; index < series.slots.length; index++) {
    const slot = series.slots[index] as Slot;
    if (slot.openTime !== closeTime || slot.sum.tradeCount > 0 || slot.given.length > 0) return;
    if (slot.flatPrice === price) return;
    slot.flatPrice = price;
    if (slot.closed !== undefined) slots.close(series, slot);
    closeTime = slot.closeTime;
  }
}
