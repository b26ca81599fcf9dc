import type { Micros } from '../base/clock.ts';
import { parseDecimal } from '../base/decimal.ts';
import type { Decimal } from '../base/decimal.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import { showValue } from './bad-frame.ts';
import type { BadFrameCause } from './bad-frame.ts';
import type { TimeUnit } from './exchange.ts';

/** A JSON object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  // Neither a list nor an ExactNumber.
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

/** @throws WireError */
export function parseFields(text: string, parse: (text: string) => unknown = JSON.parse): Fields {
  let message: unknown;
  try {
    message = parse(text);
  } catch {
    throw new WireError('unreadable', 'Expected JSON');
  }
  if (!isFields(message)) throw new WireError('unreadable', 'Expected a JSON object');
  return message;
}

/** What an exchange may tell of an instrument; undefined: it tells nothing above 0, or what nobody can read. */
export function decimalOrNone(value: unknown): Decimal | undefined {
  try {
    return (typeof value === 'string' && parseDecimal(value)) || undefined;
  } catch {
    return undefined;
  }
}

/** A frame or an answer is not what it should be; the decoder turns it into a count and a sample. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly badFrameCause: BadFrameCause;

  constructor(badFrameCause: BadFrameCause, message: string) {
    super(message);
    this.badFrameCause = badFrameCause;
  }
}

/** Which times can be true, and what their integers count. */
export type TimeRule = { readonly microsPerUnit: number; readonly maximumAhead: Micros };

/** What a payload's reader must know beside the payload. */
export type ReadContext = {
  readonly instrument: InstrumentName;
  readonly receivedTime: Micros;
  readonly rule: TimeRule;
};

/**
 * Nobody asks for trades from before 2017, when Binance opened. Milliseconds that are read as
 * microseconds fall into January 1970.
 */
const earliestTime: Micros = Date.UTC(2017, 0, 1) * 1000;

export function timeRule(timeUnit: TimeUnit, maximumAheadMs: number): TimeRule {
  return {
    microsPerUnit: timeUnit === 'millisecond' ? 1000 : 1,
    maximumAhead: maximumAheadMs * 1000,
  };
}

/**
 * Whether a time can be true. Late trades are the market's affair, so the past is only bounded by
 * the exchange's age; one trade from the future would open candles there and hurry the close of
 * all others, so it is held against our clock.
 */
export function isPossibleTime(time: Micros, receivedTime: Micros, rule: TimeRule): boolean {
  return time >= earliestTime && time <= receivedTime + rule.maximumAhead;
}

/** How long after it a trade is told at most, by the exchange's own clock. */
const longestDelay: Micros = 600_000_000;

/**
 * Whether the exchange can have told a trade of this time then. A trade that is told later than that
 * has a wrong time, as a rule, and would change a candle that is long whole; what is left out is
 * missing, and asked for.
 */
export function isPossibleDelay(exchangeTime: Micros, eventTime: Micros): boolean {
  return eventTime - exchangeTime <= longestDelay;
}

export function readTime(fields: Fields, key: string, context: ReadContext): Micros {
  const time = readId(fields, key) * context.rule.microsPerUnit;
  checkTime(time, key, fields[key], context);
  return time;
}

/** A time as text, as in RFC 3339: "2014-11-07T08:19:27.028459Z". */
export function readIsoTime(fields: Fields, key: string, context: ReadContext): Micros {
  const value = fields[key];
  const time = typeof value === 'string' ? parseIsoTime(value) : undefined;
  if (time === undefined) throw expected(key, 'a time such as 2026-01-02T03:04:05.678901Z', value);
  checkTime(time, key, value, context);
  return time;
}

const isoPattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/u;

/** Finer digits than microseconds are left out. */
function parseIsoTime(text: string): Micros | undefined {
  const [, seconds = '', fraction = ''] = isoPattern.exec(text) ?? [];
  const ms = Date.parse(`${seconds}Z`);
  return Number.isNaN(ms) ? undefined : ms * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

function checkTime(time: Micros, key: string, value: unknown, context: ReadContext): void {
  const { receivedTime, rule } = context;
  if (isPossibleTime(time, receivedTime, rule)) return;
  throw new WireError(
    'time',
    `${key}: expected a time from 2017 up to ${rule.maximumAhead / 1e6} s ahead of ours, got ${showValue(value)}`,
  );
}

/** A count or an id: an integer from 0 that a number holds exactly. */
export function readId(fields: Fields, key: string): number {
  const value = fields[key];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw expected(key, 'an integer from 0 to 2^53 - 1', value);
  }
  return value;
}

export function readBoolean(fields: Fields, key: string): boolean {
  const value = fields[key];
  if (typeof value !== 'boolean') throw expected(key, 'true or false', value);
  return value;
}

export function readSide(fields: Fields, key: string): 'buy' | 'sell' {
  const value = fields[key];
  if (value !== 'buy' && value !== 'sell') throw expected(key, '"buy" or "sell"', value);
  return value;
}

/** A price or quantity, a JSON string; 0 only where `isZeroAllowed`. */
export function readDecimal(fields: Fields, key: string, isZeroAllowed: boolean): Decimal {
  const value = fields[key];
  if (typeof value !== 'string') throw expected(key, 'a decimal number as text', value);
  let decimal: Decimal;
  try {
    decimal = parseDecimal(value);
  } catch {
    throw expected(key, 'a decimal number as text', value);
  }
  if (decimal === 0n && !isZeroAllowed) throw expected(key, 'more than 0', value);
  return decimal;
}

/** Symbols name rows: 64 bytes are the bound of their columns. Some are not ASCII. */
const symbolBytes = 64;

export function readSymbol(fields: Fields, key: string): string {
  const value = fields[key];
  if (
    typeof value !== 'string' ||
    value === '' ||
    !value.isWellFormed() ||
    /[\p{Cc}\s"\\]/u.test(value) ||
    Buffer.byteLength(value) > symbolBytes
  ) {
    throw expected(key, `a symbol of at most ${symbolBytes} bytes`, value);
  }
  return value;
}

/** The error that tells what was expected of a field. */
export function expected(key: string, what: string, value: unknown): WireError {
  return new WireError('field', `${key}: expected ${what}, got ${showValue(value)}`);
}
