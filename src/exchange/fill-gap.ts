import { splitInstrumentName } from '../domain/instrument.ts';
import type { Gap } from '../domain/gap.ts';
import type { HistoryParts } from './read-history.ts';

/**
 * Asks the exchange for the trades of a gap, page by page: each page goes to the market as it comes,
 * so that a large gap holds nothing up. What the exchange has not got either is told as absent.
 * @throws RestError, or the signal's reason
 */
export async function fillGap(
  { rest, handle, clock }: HistoryParts,
  { instrument, firstMissingId, lastMissingId }: Gap,
  signal: AbortSignal,
): Promise<void> {
  const { symbol } = splitInstrumentName(instrument);
  let next = firstMissingId;
  while (next <= lastMissingId) {
    const page = await rest.trades(symbol, { fromId: next }, signal);
    const trades = page.filter(({ id }) => id >= next && id <= lastMissingId);
    if (trades.length > 0) {
      const receivedTime = clock.now();
      handle({ type: 'recoveredTrades', instrument, trades, wholeFrom: undefined, receivedTime });
    }
    // The page holds all trades the exchange has from `next` up to its end.
    const isLastPage = page.length < rest.tradesPerAnswer;
    const end = Math.min(isLastPage ? lastMissingId : (page.at(-1)?.id ?? 0), lastMissingId);
    const known = new Set(trades.map(({ id }) => id));
    for (const [firstId, lastId] of absentRanges(next, end, known)) {
      handle({ type: 'absentTrades', instrument, firstId, lastId });
    }
    next = end + 1;
  }
}

/** The runs of ids in [first, last] that are not known. */
function absentRanges(
  first: number,
  last: number,
  known: ReadonlySet<number>,
): (readonly [number, number])[] {
  const ids = [...known].toSorted((a, b) => a - b);
  const ranges: (readonly [number, number])[] = [];
  let next = first;
  for (const id of [...ids, last + 1]) {
    if (id > next) ranges.push([next, id - 1]);
    next = id + 1;
  }
  return ranges;
}
