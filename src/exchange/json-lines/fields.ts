import type { Decimal } from '../../base/decimal.ts';
import { ExactNumber, parseExactJson } from '../../base/exact-json.ts';
import { expected, parseFields } from '../fields.ts';

/** What a line tells, still without a meaning for its symbol and its time. */
export type PriceLine = {
  readonly symbol: string;
  readonly price: Decimal;
  readonly timestamp: number;
};

/**
 * Reads any line, whatever the order of its fields and its spaces; unknown fields are left.
 * @throws WireError
 */
export function readPriceLine(line: string): PriceLine {
  const { symbol, price, timestamp } = parseFields(line, parseExactJson);
  if (typeof symbol !== 'string' || symbol === '') throw expected('symbol', 'a name', symbol);
  return { symbol, price: readPrice(price), timestamp: readTimestamp(timestamp) };
}

function readPrice(value: unknown): Decimal {
  const what = 'a decimal number above 0 with at most 15 digits before and 18 after the point';
  if (!(value instanceof ExactNumber)) throw expected('price', what, value);
  try {
    return value.decimal;
  } catch {
    throw expected('price', what, value);
  }
}

function readTimestamp(value: unknown): number {
  const time = value instanceof ExactNumber ? value.integer : undefined;
  if (time !== undefined) return time;
  throw expected('timestamp', 'an integer of seconds or milliseconds since 1970', value);
}
