import type { Trade } from '../domain/trade.ts';
import type { ExchangeRest, TradeRange } from './exchange.ts';

/**
 * The trades from a place on, up to now or the end of the span, page by page, lowest first. Pages
 * that are asked for by time overlap by their last moment: what was told before is left out.
 * @throws RestError, or the signal's reason
 */
export async function* tradePages(
  rest: ExchangeRest,
  symbol: string,
  from: TradeRange,
  signal: AbortSignal,
): AsyncGenerator<readonly Trade[], void, undefined> {
  let range = from;
  let highestId = -1;
  for (;;) {
    const answer = await rest.trades(symbol, range, signal);
    const page = answer.filter(({ id }) => id > highestId);
    const last = page.at(-1);
    // An answer that does not go on would be asked for again and again.
    if (last === undefined) return;
    yield page;
    if (answer.length < rest.tradesPerAnswer) return;
    highestId = last.id;
    range = nextRange(rest, range, last);
  }
}

function nextRange({ facts }: ExchangeRest, range: TradeRange, last: Trade): TradeRange {
  if (facts.backfill === 'byTime' && 'toTime' in range) {
    return { fromTime: last.exchangeTime, toTime: range.toTime };
  }
  return { fromId: last.id + 1 };
}
