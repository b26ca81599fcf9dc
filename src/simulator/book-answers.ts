import { decimalScale, parseDecimal } from '../base/decimal.ts';
import { countText, decimalText } from './count-text.ts';
import type { ShownQuote } from './quote-board.ts';
import { hashAt } from './random.ts';
import { readInteger, readSymbol } from './rest-parameters.ts';
import type { RestRequest } from './rest.ts';
import type { SymbolProfile } from './symbol-profile.ts';

const nothing = '0.00000000';

/** `/api/v3/ticker/bookTicker` of one symbol. */
export function bookTickerAnswer(symbol: string, quote: ShownQuote | undefined): unknown {
  return {
    symbol,
    bidPrice: quote?.bidPrice ?? nothing,
    bidQty: quote?.bidQuantity ?? nothing,
    askPrice: quote?.askPrice ?? nothing,
    askQty: quote?.askQuantity ?? nothing,
  };
}

/** Levels on each side at most: only the top one means anything here. */
const maxLevels = 20;

/** `/api/v3/depth`: the top is the book ticker, and so is the update id. */
export function depthAnswer({ query, market, now }: RestRequest): unknown {
  const { board, tape } = market.symbol(readSymbol(query));
  const levels = Math.min(readInteger(query, 'limit') ?? 100, maxLevels);
  const quote = board.at(now);
  if (quote === undefined) return { lastUpdateId: 0, bids: [], asks: [] };
  const { bidPrice, bidQuantity, askPrice, askQuantity, updateId } = quote;
  const side = (top: readonly [string, string], isBid: boolean) =>
    [top, ...deeperLevels(tape.market.profile, top[0], updateId, isBid)].slice(0, levels);
  return {
    lastUpdateId: updateId,
    bids: side([bidPrice, bidQuantity], true),
    asks: side([askPrice, askQuantity], false),
  };
}

/** A level on each further tick, its quantity drawn from the update id. */
function deeperLevels(
  { tickDecimals, lotDecimals, shownLots: [least, most] }: SymbolProfile,
  topPrice: string,
  updateId: number,
  isBid: boolean,
): readonly [string, string][] {
  const tick = 10n ** BigInt(decimalScale - tickDecimals) * (isBid ? -1n : 1n);
  const levels: [string, string][] = [];
  let price = parseDecimal(topPrice) + tick;
  for (let level = 1; level < maxLevels && price > 0n; level++, price += tick) {
    const draw = hashAt(updateId, isBid ? level : -level);
    const lots = least + (draw % (most - least + 1));
    levels.push([decimalText(price), countText(lots, lotDecimals)]);
  }
  return levels;
}
