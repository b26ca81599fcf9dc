import { splitInstrumentName } from '../domain/instrument.ts';
import type { Gap } from '../domain/gap.ts';
import type { Trade } from '../domain/trade.ts';
import type { TradeRange } from './exchange.ts';
import type { HistoryParts } from './read-history.ts';
import { tradePages } from './trade-pages.ts';

/**
 * Asks the exchange for the trades of a gap, page by page: each page goes to the market as it comes,
 * so that a large gap holds nothing up. What the exchange has not got either is told as absent.
 * @throws RestError, or the signal's reason
 */
export async function fillGap(parts: HistoryParts, gap: Gap, signal: AbortSignal): Promise<void> {
  const { handle, clock } = parts;
  const { instrument, firstMissingId, lastMissingId } = gap;
  const { symbol } = splitInstrumentName(instrument);
  let next = firstMissingId;
  for await (const page of pagesOf(parts, gap, symbol, signal)) {
    const trades = page.filter(({ id }) => id >= next && id <= lastMissingId);
    if (trades.length > 0) {
      const receivedTime = clock.now();
      handle({ type: 'recoveredTrades', instrument, trades, wholeFrom: undefined, receivedTime });
    }
    // The page holds all trades the exchange has from `next` up to its end.
    const end = Math.min(page.at(-1)?.id ?? 0, lastMissingId);
    tellAbsent(parts, gap, [next, end], trades);
    next = Math.max(next, end + 1);
    if (next > lastMissingId) return;
  }
  tellAbsent(parts, gap, [next, lastMissingId], []);
}

function pagesOf(
  { rest }: HistoryParts,
  { firstMissingId, fromTime, toTime }: Gap,
  symbol: string,
  signal: AbortSignal,
): AsyncIterable<readonly Trade[]> {
  const ranges: Readonly<Record<typeof rest.facts.backfill, TradeRange | undefined>> = {
    byId: { fromId: firstMissingId },
    byTime: { fromTime, toTime },
    none: undefined,
  };
  const range = ranges[rest.facts.backfill];
  return range === undefined ? noPages() : tradePages(rest, symbol, range, signal);
}

async function* noPages(): AsyncGenerator<never, void, undefined> {}

function tellAbsent(
  { rest, handle }: HistoryParts,
  { instrument }: Gap,
  [first, last]: readonly [number, number],
  known: readonly Trade[],
): void {
  // Where it tells all there are and ids leave some out, there never were others.
  const { idOrder, backfill } = rest.facts;
  const isNothingMissing = idOrder !== 'contiguous' && backfill !== 'none';
  for (const [firstId, lastId] of absentRanges(first, last, known)) {
    handle({ type: 'absentTrades', instrument, firstId, lastId, isNothingMissing });
  }
}

/** The runs of ids in [first, last] that are not those of known trades, which are sorted by id. */
function absentRanges(
  first: number,
  last: number,
  known: readonly Trade[],
): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  let next = first;
  for (const id of [...known.map((trade) => trade.id), last + 1]) {
    if (id > next) ranges.push([next, id - 1]);
    next = id + 1;
  }
  return ranges;
}
