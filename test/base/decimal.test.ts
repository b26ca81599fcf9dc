import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  divideHalfEven,
  formatDecimal,
  formatProduct,
  parseDecimal,
  parseProduct,
} from '../../src/base/decimal.ts';

const decimalText = fc
  .tuple(fc.bigInt(0n, 10n ** 15n - 1n), fc.stringMatching(/^\d{0,18}$/))
  .map(([whole, fraction]) => ({ whole, fraction }));

test('any decimal in range is read exactly and written without trailing zeros', () => {
  fc.assert(
    fc.property(decimalText, ({ whole, fraction }) => {
      const value = parseDecimal(fraction === '' ? `${whole}` : `${whole}.${fraction}`);
      expect(value).toBe(whole * 10n ** 18n + BigInt(fraction.padEnd(18, '0')));
      const trimmed = fraction.replace(/0+$/u, '');
      expect(formatDecimal(value)).toBe(trimmed === '' ? `${whole}` : `${whole}.${trimmed}`);
      expect(parseDecimal(formatDecimal(value))).toBe(value);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  '',
  '.',
  '1.',
  '.5',
  '-1',
  '+1',
  '1e5',
  'NaN',
  'Infinity',
  '0x10',
  '1_000',
  '1,000',
  ' 1',
  '1 ',
  '１２３',
  '1.2.3',
  '1234567890123456',
  '0.1234567890123456789',
  '9'.repeat(40),
])('%j is refused as a decimal', (text) => {
  expect(() => parseDecimal(text)).toThrow(RangeError);
});

test.each([
  [0n, '0'],
  [-25n * 10n ** 17n, '-2.5'],
  [1n, '0.000000000000000001'],
])('the decimal %s is written %s', (value, text) => {
  expect(formatDecimal(value)).toBe(text);
});

test('a product keeps all its 36 decimals', () => {
  const product = parseDecimal('0.000000000000000001') * parseDecimal('0.3');
  expect(formatProduct(product)).toBe('0.0000000000000000003');
  expect(parseProduct(formatProduct(product))).toBe(product);
});

test.each([
  [7n, 2n, 4n],
  [5n, 2n, 2n],
  [-5n, 2n, -2n],
  [-7n, 2n, -4n],
  [7n, -2n, -4n],
  [1n, 3n, 0n],
  [2n, 3n, 1n],
  [-2n, 3n, -1n],
])('%s / %s is %s, halves to the even one', (dividend, divisor, quotient) => {
  expect(divideHalfEven(dividend, divisor)).toBe(quotient);
});
