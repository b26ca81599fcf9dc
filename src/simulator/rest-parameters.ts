import type { Micros } from '../base/clock.ts';
import { isTimeframe } from '../domain/timeframe.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import { isSymbol } from './symbol-profile.ts';

/** An error as Binance's REST answers it: a status and `{"code":-1121,"msg":"Invalid symbol."}`. */
export class RestError extends Error {
  readonly status: number;
  readonly code: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, code: number, message: string, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const bad = (code: number, message: string) => new RestError(400, code, message);

const missing = (name: string) =>
  bad(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`);

export function readSymbol(query: URLSearchParams): string {
  const symbol = query.get('symbol');
  if (symbol === null || symbol === '') throw missing('symbol');
  if (!isSymbol(symbol)) throw bad(-1121, 'Invalid symbol.');
  return symbol;
}

/** `symbol=X`, `symbols=["X","Y"]`, or undefined for neither. */
export function readSymbols(query: URLSearchParams): readonly string[] | undefined {
  const list = query.get('symbols');
  if (query.has('symbol')) {
    if (list !== null) throw bad(-1128, 'Combination of optional parameters invalid.');
    return [readSymbol(query)];
  }
  if (list === null) return undefined;
  let symbols: unknown;
  try {
    symbols = JSON.parse(list);
  } catch {
    throw bad(-1100, "Illegal characters found in parameter 'symbols'.");
  }
  if (!Array.isArray(symbols) || symbols.length === 0) throw missing('symbols');
  if (symbols.length > maxSymbols) throw bad(-1101, 'Too many parameters sent for this endpoint.');
  return symbols.map((symbol: unknown) => {
    if (typeof symbol === 'string' && isSymbol(symbol)) return symbol;
    throw bad(-1121, 'Invalid symbol.');
  });
}

/** Symbols in one question: a URL does not hold many more. */
const maxSymbols = 1000;

/** A page's size: 500 unless asked for, at most 1000. */
export function readLimit(query: URLSearchParams): number {
  const limit = readInteger(query, 'limit') ?? 500;
  if (limit < 1) throw bad(-1130, "Data sent for parameter 'limit' is not valid.");
  return Math.min(limit, 1000);
}

export function readInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (text === '') throw bad(-1105, `Parameter '${name}' was empty.`);
  if (!/^\d{1,20}$/.test(text)) {
    throw bad(
      -1100,
      `Illegal characters found in parameter '${name}'; legal range is '^[0-9]{1,20}$'.`,
    );
  }
  return Number(text);
}

/** Larger numbers are microseconds, smaller ones milliseconds: Binance takes both. */
const leastMicros = 1e14;

/** Where a range of time begins, or undefined. */
export function readStart(query: URLSearchParams): Micros | undefined {
  const time = readInteger(query, 'startTime');
  return time === undefined || time >= leastMicros ? time : time * 1000;
}

/** The first instant after a range of time whose end is included, or undefined. */
export function readEnd(query: URLSearchParams): Micros | undefined {
  const time = readInteger(query, 'endTime');
  if (time === undefined) return undefined;
  return time >= leastMicros ? time + 1 : (time + 1) * 1000;
}

export function readTimeframe(query: URLSearchParams): Timeframe {
  const interval = query.get('interval');
  if (interval === null || interval === '') throw missing('interval');
  if (!isTimeframe(interval)) throw bad(-1120, 'Invalid interval.');
  return interval;
}
