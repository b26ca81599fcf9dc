import type { Micros } from '../base/clock.ts';
import { countText } from './count-text.ts';
import type { ShownQuote } from './quote-board.ts';
import type { SimulatedSymbol } from './simulated-symbol.ts';
import type { StreamKind } from './stream.ts';
import type { Print } from './symbol-market.ts';

/** In what times are told: Binance's default, or what timeUnit=MICROSECOND asks for. */
export type TimeUnit = 'ms' | 'us';

/** One event on one stream. */
export type Frame = {
  /** The stream's name. */
  readonly stream: string;
  readonly symbol: string;
  readonly kind: StreamKind;
  /** The id of the aggregate trade that it tells of, or of a part of; undefined where there is none. */
  readonly tradeId: number | undefined;
  readonly sentTime: Micros;
  /** The raw event as JSON, with its times in a unit. */
  readonly payload: (unit: TimeUnit) => string;
};

/** Times as clients get them: microseconds, or whole milliseconds. */
export function timeIn(unit: TimeUnit, time: Micros): number {
  return unit === 'us' ? time : Math.floor(time / 1000);
}

/** How a combined connection and a recording wrap an event. */
export function combined(stream: string, payload: string): string {
  return `{"stream":${JSON.stringify(stream)},"data":${payload}}`;
}

/** What the symbol sends on these streams within (from, to], in order of its sending. */
export function framesOf(
  { name, tape, board }: SimulatedSymbol,
  kinds: ReadonlySet<StreamKind>,
  from: Micros,
  to: Micros,
): readonly Frame[] {
  const frames: Frame[] = [];
  if (kinds.has('bookTicker')) {
    const stream = `${name.toLowerCase()}@bookTicker`;
    const fixed = { stream, symbol: name, kind: 'bookTicker', tradeId: undefined } as const;
    for (const quote of board.between(from, to)) {
      frames.push({ ...fixed, sentTime: quote.time, payload: () => tickerPayload(name, quote) });
    }
  }
  if (kinds.has('aggTrade') || kinds.has('trade')) {
    for (const print of tape.prints(from, to)) frames.push(...tradeFrames(tape, kinds, print));
  }
  return frames.toSorted((a, b) => a.sentTime - b.sentTime);
}

function tradeFrames(
  { market: { profile } }: SimulatedSymbol['tape'],
  kinds: ReadonlySet<StreamKind>,
  print: Print,
): Frame[] {
  const frames: Frame[] = [];
  const { symbol, tickDecimals, lotDecimals } = profile;
  const { sentTime, time, isTakerSell } = print;
  const price = countText(print.price, tickDecimals);
  const payload = (unit: TimeUnit, kind: StreamKind, inner: string) =>
    `{"e":"${kind}","E":${timeIn(unit, sentTime)},"s":${JSON.stringify(symbol)},${inner},"T":${timeIn(unit, time)},"m":${isTakerSell},"M":true}`;
  if (kinds.has('aggTrade')) {
    const quantity = countText(print.lots, lotDecimals);
    frames.push({
      stream: `${symbol.toLowerCase()}@aggTrade`,
      symbol,
      kind: 'aggTrade',
      tradeId: print.id,
      sentTime,
      payload: (unit) =>
        payload(
          unit,
          'aggTrade',
          `"a":${print.id},"p":"${price}","q":"${quantity}","f":${print.firstTradeId},"l":${print.lastTradeId}`,
        ),
    });
  }
  if (kinds.has('trade')) {
    const stream = `${symbol.toLowerCase()}@trade`;
    const fixed = { stream, symbol, kind: 'trade', tradeId: print.id, sentTime } as const;
    for (const [id, lots] of singleTrades(print)) {
      const inner = `"t":${id},"p":"${price}","q":"${countText(lots, lotDecimals)}"`;
      frames.push({ ...fixed, payload: (unit) => payload(unit, 'trade', inner) });
    }
  }
  return frames;
}

/** The single trades that an aggregate one holds: equal shares, the first one takes what is left. */
function singleTrades({ firstTradeId, lastTradeId, lots }: Print): [id: number, lots: number][] {
  const count = lastTradeId - firstTradeId + 1;
  const share = Math.floor(lots / count);
  return Array.from({ length: count }, (_, index) => [
    firstTradeId + index,
    index === 0 ? lots - share * (count - 1) : share,
  ]);
}

function tickerPayload(symbol: string, quote: ShownQuote): string {
  return `{"u":${quote.updateId},"s":${JSON.stringify(symbol)},"b":"${quote.bidPrice}","B":"${quote.bidQuantity}","a":"${quote.askPrice}","A":"${quote.askQuantity}"}`;
}
