import type { IdRanges } from './faults/id-ranges.ts';
import type { Tape, TapeTrade } from './tape.ts';

/** `Tape.tradesFrom`, with other trades in the place of those that are missing. */
export function tradesFrom(
  tape: Tape,
  [fromId, limit, now]: Parameters<Tape['tradesFrom']>,
  missing: readonly IdRanges[],
): readonly TapeTrade[] {
  const trades: TapeTrade[] = [];
  let id = firstPresent(fromId, missing);
  while (trades.length < limit) {
    const page = tape.tradesFrom(id, limit - trades.length, now);
    const last = page.at(-1);
    if (last === undefined) break;
    trades.push(...page.filter((trade) => isPresent(trade, missing)));
    id = firstPresent(last.id + 1, missing);
  }
  return trades;
}

/** `Tape.tradesWithin`, with other trades in the place of those that are missing. */
export function tradesWithin(
  tape: Tape,
  [range, [limit, isFromEnd], now]: Parameters<Tape['tradesWithin']>,
  missing: readonly IdRanges[],
): readonly TapeTrade[] {
  // There is no way from a time to an id but through its trade: a longer page is asked for.
  for (let asked = limit; ; asked *= 4) {
    const page = tape.tradesWithin(range, [asked, isFromEnd], now);
    const trades = page.filter((trade) => isPresent(trade, missing));
    if (trades.length < limit && page.length === asked) continue;
    return isFromEnd ? trades.slice(-limit) : trades.slice(0, limit);
  }
}

function isPresent({ id }: TapeTrade, missing: readonly IdRanges[]): boolean {
  return missing.every((ids) => !ids.has(id));
}

function firstPresent(id: number, missing: readonly IdRanges[]): number {
  for (let present = id; ;) {
    const next = missing.reduce((from, ids) => ids.firstOutside(from), present);
    if (next === present) return present;
    present = next;
  }
}
