import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Midnight of 2026-01-01 UTC, in milliseconds. */
const midnight = Date.UTC(2026, 0, 1);

export type PrintOptions = {
  readonly id: number;
  /** Seconds after midnight. */
  readonly at: number;
  readonly symbol?: string;
  readonly price?: string;
  readonly quantity?: string;
};

/** The frame of a single trade, in a combined stream. */
export function tradeFrame(print: PrintOptions): string {
  const time = midnight + print.at * 1000;
  const { symbol = 'BTCUSDT' } = print;
  return JSON.stringify({
    stream: `${symbol.toLowerCase()}@trade`,
    data: { e: 'trade', E: time + 1, s: symbol, t: print.id, ...priced(print), T: time, m: true },
  });
}

/** The frame of an aggregated trade of one single trade, without the stream's name. */
export function aggTradeFrame(print: PrintOptions): string {
  const time = midnight + print.at * 1000;
  const { symbol = 'BTCUSDT', id } = print;
  const range = { a: id, f: id * 10, l: id * 10 };
  return JSON.stringify({
    e: 'aggTrade',
    E: time + 1,
    s: symbol,
    ...range,
    ...priced(print),
    T: time,
    m: false,
  });
}

/** The frame of a book ticker, in a combined stream; far away on the side that is not given. */
export function tickerFrame(ticker: {
  readonly updateId: number;
  readonly symbol?: string;
  readonly bid?: readonly [price: string, quantity: string];
  readonly ask?: readonly [price: string, quantity: string];
}): string {
  const { updateId, symbol = 'BTCUSDT', bid = ['1', '1'], ask = ['1000000', '1'] } = ticker;
  const [[b, B], [a, A]] = [bid, ask];
  return JSON.stringify({
    stream: `${symbol.toLowerCase()}@bookTicker`,
    data: { u: updateId, s: symbol, b, B, a, A },
  });
}

function priced({ price = '100', quantity = '1' }: PrintOptions) {
  return { p: price, q: quantity };
}

/** The line of a frame that was received some seconds after midnight. */
export function stamped(at: number, frame: string): string {
  return `${BigInt(Math.round((midnight + at * 1000) * 1000)) * 1000n} ${frame}`;
}

/** Writes a capture that is removed when the test ends, and answers its path. */
export function captureFile(lines: readonly string[], options = { gzip: false }): string {
  const path = join(temporaryDirectory(), options.gzip ? 'capture.gz' : 'capture.txt');
  const text = lines.map((line) => `${line}\n`).join('');
  writeFileSync(path, options.gzip ? gzipSync(text) : text);
  return path;
}
