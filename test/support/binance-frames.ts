import { noon } from './builders.ts';

/** The payload of an `@aggTrade` frame at noon, with other fields where given; undefined leaves one out. */
export function anAggTradePayload(fields: Readonly<Record<string, unknown>> = {}) {
  return {
    e: 'aggTrade',
    E: noon / 1000 + 1,
    s: 'BTCUSDT',
    a: 12345,
    p: '61837.63000000',
    q: '0.02000000',
    f: 100,
    l: 105,
    T: noon / 1000,
    m: true,
    M: true,
    ...fields,
  };
}

export function aBookTickerPayload(fields: Readonly<Record<string, unknown>> = {}) {
  return {
    u: 400900217,
    s: 'BTCUSDT',
    b: '25.35190000',
    B: '31.21000000',
    a: '25.36520000',
    A: '40.66000000',
    ...fields,
  };
}

/** A frame as Binance writes it, of the stream that the payload belongs to. */
export function aFrame(payload: Readonly<Record<string, unknown>>): string {
  const kind = typeof payload.e === 'string' ? payload.e : 'bookTicker';
  // Random payloads hold objects that cannot even be made a text.
  const symbol = typeof payload.s === 'string' ? payload.s : 'BTCUSDT';
  const stream = `${symbol.toLowerCase()}@${kind}`;
  return JSON.stringify({ stream, data: payload });
}
