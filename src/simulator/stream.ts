import { isSymbol } from './symbol-profile.ts';

/** The kinds of streams that the simulator speaks. */
export const streamKinds = ['aggTrade', 'trade', 'bookTicker'] as const;
export type StreamKind = (typeof streamKinds)[number];

/** A stream that a client can subscribe, e.g. "btcusdt@aggTrade". */
export type Stream = {
  readonly name: string;
  readonly symbol: string;
  readonly kind: StreamKind;
};

export function streamOf(symbol: string, kind: StreamKind): Stream {
  return { name: `${symbol.toLowerCase()}@${kind}`, symbol, kind };
}

/** Reads a stream's name; undefined for what the simulator has not got. Symbols are in lower case. */
export function parseStream(name: string): Stream | undefined {
  const at = name.lastIndexOf('@');
  const kind = streamKinds.find((kind) => kind === name.slice(at + 1));
  const symbol = name.slice(0, Math.max(0, at)).toUpperCase();
  if (kind === undefined || !isSymbol(symbol)) return undefined;
  const stream = streamOf(symbol, kind);
  return stream.name === name ? stream : undefined;
}
