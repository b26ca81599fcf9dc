import { expect, test } from 'vitest';
import {
  formatDecimal,
  formatProduct,
  parseDecimal,
  parseSignedDecimal,
} from '../../src/base/decimal.ts';
import { averageOpenPrice } from '../../src/domain/position.ts';
import { PositionFold } from '../../src/position/position-fold.ts';

/** Folds "quantity@price" one after the other. */
function fold(text: string): PositionFold {
  const position = new PositionFold();
  for (const execution of text.split(' ')) {
    const [quantity = '', price = ''] = execution.split('@');
    position.apply(parseSignedDecimal(quantity), parseDecimal(price), parseDecimal('0.1'));
  }
  return position;
}

test.each([
  ['bought', '2@10', '2', '20', '0', '10'],
  ['bought twice', '2@10 1@40', '3', '60', '0', '20'],
  ['sold short', '-2@10', '-2', '-20', '0', '10'],
  ['sold short twice', '-2@10 -1@40', '-3', '-60', '0', '20'],
  ['closed in part', '4@10 -1@15', '3', '30', '5', '10'],
  ['closed in part at a loss', '4@10 -1@5', '3', '30', '-5', '10'],
  ['closed', '4@10 -4@15', '0', '0', '20', ''],
  ['short, covered in part', '-4@10 1@15', '-3', '-30', '-5', '10'],
  ['short, covered', '-4@10 4@5', '0', '0', '20', ''],
  ['flipped to short', '2@10 -5@15', '-3', '-45', '10', '15'],
  ['flipped to long', '-2@10 5@15', '3', '45', '-10', '15'],
  ['closed and opened again', '2@10 -2@15 1@7', '1', '7', '10', '7'],
  [
    'averaged, then closed in part',
    '1@10 2@11 -1@12',
    '2',
    '21.333333333333333333',
    '1.333333333333333333',
    '10.666666666666666666',
  ],
])('%s: %s', (_, executions, quantity, cost, profit, average) => {
  const position = fold(executions);
  expect(formatDecimal(position.quantity)).toBe(quantity);
  expect(formatProduct(position.cost)).toBe(cost);
  expect(formatProduct(position.realizedProfit)).toBe(profit);
  const price = averageOpenPrice(position);
  expect(price === undefined ? '' : formatDecimal(price)).toBe(average);
});

test.each([
  ['half a digit down to the even one', 2n, 2n, 0n],
  ['half a digit up to the even one', 2n, 6n, 2n],
  ['less down', 2n, 1n, 0n],
  ['more up', 2n, 3n, 1n],
  ['the same way where it is short', -2n, 6n, -2n],
])('the cost of what is closed is rounded at 18 decimals: %s', (_, held, quarters, removed) => {
  const unit = 10n ** 18n;
  const position = new PositionFold();
  // So little is held that half of it costs a quarter of 10^-18, times the price.
  position.apply(held, (quarters * unit) / 4n, 0n);
  const before = position.cost;
  const closing = -held / 2n;
  position.apply(closing, 5n * unit, 0n);
  expect(before - position.cost).toBe(removed * unit);
  // What is rounded away stays in the cost: realized profit − cost is the net cash.
  expect(position.realizedProfit - position.cost).toBe(-before - closing * 5n * unit);
});

test('fees are kept apart, and volume and executions counted', () => {
  const position = fold('4@10 -5@15 1@7');
  expect(formatDecimal(position.fees)).toBe('0.3');
  expect(formatDecimal(position.tradedVolume)).toBe('10');
  expect(position.executionCount).toBe(3);
});

test('goes on from any state', () => {
  const whole = fold('4@10 -5@15 1@7 3@8');
  const rest = new PositionFold(fold('4@10 -5@15').state());
  rest.apply(parseDecimal('1'), parseDecimal('7'), parseDecimal('0.1'));
  rest.apply(parseDecimal('3'), parseDecimal('8'), parseDecimal('0.1'));
  expect(rest.state()).toEqual(whole.state());
});
