import { formatDecimal, formatProduct } from '../base/decimal.ts';
import type { Decimal, Product } from '../base/decimal.ts';

/** Binance writes every price and quantity with this many decimals. */
const shownDecimals = 8;

/** Writes a count of 10^-decimals as Binance does: 6500012 with 2 decimals is "65000.12000000". */
export function countText(count: number, decimals: number): string {
  const one = 10 ** decimals;
  const whole = Math.floor(count / one);
  const fraction = String(count % one).padStart(decimals, '0');
  return `${whole}.${decimals === 0 ? '' : fraction}${'0'.repeat(shownDecimals - decimals)}`;
}

/** Writes a Decimal with Binance's 8 decimals, or as many more as it needs to be exact. */
export function decimalText(value: Decimal): string {
  return pad(formatDecimal(value));
}

/** The same for a Product: LTCBTC's ticks times its lots have nine decimals. */
export function productText(value: Product): string {
  return pad(formatProduct(value));
}

function pad(text: string): string {
  const point = text.indexOf('.');
  if (point < 0) return `${text}.${'0'.repeat(shownDecimals)}`;
  return text.padEnd(point + 1 + shownDecimals, '0');
}
