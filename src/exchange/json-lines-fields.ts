import { decimalScale, parseDecimal } from '../base/decimal.ts';
import type { Decimal } from '../base/decimal.ts';
import { showValue } from './bad-frame.ts';
import type { BadFrameCause } from './bad-frame.ts';

/** A line is not what it should be; the decoder turns it into a count and a sample. */
export class LineError extends Error {
  override readonly name = 'LineError';
  readonly badFrameCause: BadFrameCause;

  constructor(badFrameCause: BadFrameCause, message: string) {
    super(message);
    this.badFrameCause = badFrameCause;
  }
}

/** What a line tells, still without a meaning for its symbol and its time. */
export type PriceLine = {
  readonly symbol: string;
  readonly price: Decimal;
  readonly timestamp: number;
};

/** A JSON number as it was written. */
class NumberText {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  /** How it is shown in a message. */
  toJSON(): string {
    return this.source;
  }
}

/**
 * Reads any line, whatever the order of its fields and its spaces; unknown fields are left.
 * @throws LineError
 */
export function readPriceLine(line: string): PriceLine {
  const fields = parseObject(line);
  const { symbol } = fields;
  if (typeof symbol !== 'string' || symbol === '') throw expected('symbol', 'a name', symbol);
  return { symbol, price: readPrice(fields['price']), timestamp: readTimestamp(fields) };
}

function parseObject(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line, keepNumber);
  } catch {
    // Not JSON, or nested so deeply that reading it would take all of the stack.
    throw new LineError('unreadable', 'Expected JSON');
  }
  if (!isFields(value)) throw new LineError('unreadable', 'Expected a JSON object');
  return value;
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null;
  return isObject && !Array.isArray(value) && !(value instanceof NumberText);
}

/** Keeps the digits of a number, of which a float would change some. */
function keepNumber(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  return typeof value === 'number' ? new NumberText(context?.source ?? '') : value;
}

function readPrice(value: unknown): Decimal {
  const what = 'a decimal number above 0 with at most 15 digits before and 18 after the point';
  if (!(value instanceof NumberText)) throw expected('price', what, value);
  try {
    return decimalOf(value.source);
  } catch {
    throw expected('price', what, value);
  }
}

/** Digits of a price and its exponent; no price has more of either. */
const numberPattern = /^(\d{1,80})(?:\.(\d{1,80}))?(?:[eE]([+-]?\d{1,2}))?$/;

/**
 * The exact value of a JSON number: "100123.45", "1e-7", "1.5E+3".
 * @throws RangeError where it is negative or no Decimal can hold it
 */
function decimalOf(source: string): Decimal {
  const [, whole = '', fraction = '', exponent = '0'] = numberPattern.exec(source) ?? [];
  const digits = whole + fraction;
  // At least one digit before the point.
  const point = whole.length + Number(exponent);
  const shown = point < 1 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const split = Math.max(1, point);
  const before = shown.slice(0, split).replace(/^0+(?=\d)/, '');
  const after = shown.slice(split).replace(/0+$/, '');
  if (after.length > decimalScale) throw new RangeError('Expected at most 18 decimals');
  return parseDecimal(after === '' ? before : `${before}.${after}`);
}

function readTimestamp({ timestamp }: Readonly<Record<string, unknown>>): number {
  if (timestamp instanceof NumberText && /^\d{1,15}$/.test(timestamp.source)) {
    return Number(timestamp.source);
  }
  throw expected('timestamp', 'an integer of seconds or milliseconds since 1970', timestamp);
}

function expected(key: string, what: string, value: unknown): LineError {
  // An object may be nested too deeply to be shown.
  const isNested = isFields(value) || Array.isArray(value);
  const shown = isNested ? 'an object or a list' : showValue(value);
  return new LineError('field', `${key}: expected ${what}, got ${shown}`);
}
