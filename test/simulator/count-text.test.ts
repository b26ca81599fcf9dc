import { expect, test } from 'vitest';
import { parseDecimal } from '../../src/base/decimal.ts';
import { countText, decimalText, productText } from '../../src/simulator/count-text.ts';

test.each([
  [6_500_012, 2, '65000.12000000'],
  [1_200, 6, '0.00120000'],
  [1_183, 8, '0.00001183'],
  [20_000_000, 0, '20000000.00000000'],
  [5, 5, '0.00005000'],
  [0, 3, '0.00000000'],
])('%d with %d decimals is written as %s', (count, decimals, text) => {
  expect(countText(count, decimals)).toBe(text);
});

test('a number that needs more than eight decimals gets them', () => {
  expect(decimalText(parseDecimal('12.5'))).toBe('12.50000000');
  expect(decimalText(parseDecimal('3'))).toBe('3.00000000');
  expect(productText(parseDecimal('0.001085') * parseDecimal('0.123'))).toBe('0.000133455');
});
