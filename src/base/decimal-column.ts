import { decimalScale, parseSignedDecimal } from './decimal.ts';
import type { Decimal } from './decimal.ts';

/** So many digits fit a safe integer. */
const safeDigits = 15;

const powersOfTen = Array.from({ length: decimalScale + 1 }, (_, scale) => 10n ** BigInt(scale));

const [blank, minus, point, zero] = [32, 45, 46, 48];

/**
 * Reads signed decimals that stand between blanks, one after the other. Splitting the text first would
 * cost as much as reading it.
 */
export class DecimalColumn {
  readonly #text: string;
  #place = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Where the next one begins. */
  get place(): number {
    return this.#place;
  }

  /**
   * Reads the next one.
   * @throws RangeError for what is not a decimal, and when there is none
   */
  next(): Decimal {
    const text = this.#text;
    const start = this.#place;
    const { length } = text;
    const isNegative = text.charCodeAt(start) === minus;
    let digits = 0;
    let digitCount = 0;
    let decimals = -1;
    let isPlain = true;
    let end = isNegative ? start + 1 : start;
    for (; end < length; end++) {
      const code = text.charCodeAt(end);
      if (code === blank) break;
      const digit = code - zero;
      if (digit >= 0 && digit <= 9) {
        digits = digits * 10 + digit;
        digitCount++;
        if (decimals >= 0) decimals++;
      } else if (code === point && decimals < 0 && digitCount > 0) decimals = 0;
      else isPlain = false;
    }
    this.#place = end + 1;
    // What is long, and what is wrong.
    if (!isPlain || digitCount === 0 || digitCount > safeDigits || decimals === 0) {
      return parseSignedDecimal(text.slice(start, end));
    }
    if (digits === 0) return 0n;
    const power = powersOfTen[decimals < 0 ? decimalScale : decimalScale - decimals] ?? 1n;
    return BigInt(isNegative ? -digits : digits) * power;
  }
}
