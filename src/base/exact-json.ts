import { parseDecimal } from './decimal.ts';
import type { Decimal } from './decimal.ts';

/** A number of a JSON text as it is written there: no digit of it has been through a float. */
export class ExactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  /** For messages. */
  toJSON(): string {
    return this.source;
  }

  /**
   * Its value, also of 1e-7.
   * @throws RangeError where it is negative, or has more digits than a Decimal
   */
  get decimal(): Decimal {
    return parseDecimal(withoutExponent(this.source));
  }

  /** Its value as a count or an id; undefined where it is no integer that a number holds exactly. */
  get integer(): number | undefined {
    const value = /^\d+$/u.test(this.source) ? Number(this.source) : -1;
    return value >= 0 && Number.isSafeInteger(value) ? value : undefined;
  }
}

/** The reviver of JSON.parse as Node 24 calls it: with the text of a number or a string. */
type SourceReviver = (
  key: string,
  value: unknown,
  context: { readonly source?: string },
) => unknown;

const reviveNumber: SourceReviver = (_key, value, { source = '' }) =>
  typeof value === 'number' ? new ExactNumber(source) : value;

/**
 * JSON.parse, but with an ExactNumber for every number. It takes six times as long, 4 µs for a frame
 * with a trade, where a scanner of our own would be a hundred lines: exchanges that send prices as
 * numbers send a few hundred frames a second.
 * @throws SyntaxError
 */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, reviveNumber as (key: string, value: unknown) => unknown);
}

/** No price is longer: what would be written with more zeros is refused as it is. */
const mostZeros = 40;

function withoutExponent(source: string): string {
  const [, sign = '', whole = '', fraction = '', exponent] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/u.exec(source) ?? [];
  if (exponent === undefined) return source;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (Math.abs(point) > mostZeros) return source;
  const padded = '0'.repeat(Math.max(0, 1 - point)) + digits.padEnd(point, '0');
  const at = Math.max(1, point);
  const newWhole = padded.slice(0, at).replace(/^0+(?=\d)/u, '');
  const newFraction = padded.slice(at).replace(/0+$/u, '');
  return sign + newWhole + (newFraction === '' ? '' : `.${newFraction}`);
}
