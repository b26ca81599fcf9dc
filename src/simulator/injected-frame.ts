import { parseDecimal } from '../base/decimal.ts';
import type { ShownQuote } from './quote-board.ts';
import type { StreamKind } from './stream.ts';
import type { TapeTrade } from './tape.ts';

/** A payload to be sent as it is, and what it means to REST. */
export type InjectedFrame = {
  readonly payload: string;
  /** The stream that it belongs to; undefined when that cannot be told. */
  readonly kind: StreamKind | undefined;
  /** Set for a whole and sound aggTrade; klines are made of these, so a `trade` is not one. */
  readonly trade: TapeTrade | undefined;
  /** Set for a whole and sound bookTicker. */
  readonly quote: ShownQuote | undefined;
};

/** Times at or above this are microseconds. */
const leastMicros = 1e14;

/** Reads an injected payload. Anything may be sent, broken things too: those mean nothing to REST. */
export function readInjected(frame: object | string): InjectedFrame {
  const payload = typeof frame === 'string' ? frame : JSON.stringify(frame);
  const event = parseObject(payload);
  const kind = kindOf(event);
  return {
    payload,
    kind,
    trade: kind === 'aggTrade' ? readTrade(event) : undefined,
    quote: kind === 'bookTicker' ? readQuote(event) : undefined,
  };
}

type Event = Readonly<Record<string, unknown>>;

function parseObject(text: string): Event {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Event) : {};
  } catch {
    return {};
  }
}

/** A bookTicker has no event type: it is known by its shape. */
function kindOf(event: Event): StreamKind | undefined {
  const { e: type } = event;
  if (type === 'aggTrade' || type === 'trade') return type;
  return type === undefined && 'u' in event && 'b' in event && 'a' in event
    ? 'bookTicker'
    : undefined;
}

function readTrade({ a, f, l, T, p, q, m }: Event): TapeTrade | undefined {
  if (!isCount(a) || !isCount(f) || !isCount(l) || !isCount(T)) return undefined;
  if (!isDecimal(p) || !isDecimal(q) || typeof m !== 'boolean' || l < f) return undefined;
  return {
    id: a,
    firstTradeId: f,
    lastTradeId: l,
    price: p,
    quantity: q,
    time: T >= leastMicros ? T : T * 1000,
    isTakerSell: m,
  };
}

function readQuote({ u, b, B, a, A }: Event): ShownQuote | undefined {
  if (!isCount(u) || !isDecimal(b) || !isDecimal(B) || !isDecimal(a) || !isDecimal(A)) {
    return undefined;
  }
  return { updateId: u, bidPrice: b, bidQuantity: B, askPrice: a, askQuantity: A };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isDecimal(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  try {
    parseDecimal(value);
    return true;
  } catch {
    return false;
  }
}
