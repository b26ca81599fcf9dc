import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DecimalColumn } from '../../src/base/decimal-column.ts';
import { formatDecimal, parseSignedDecimal } from '../../src/base/decimal.ts';

test('reads what stands between blanks as one alone is read', () => {
  const some = fc.bigInt({ min: -(10n ** 33n - 1n), max: 10n ** 33n - 1n });
  const short = fc.integer().map((value) => BigInt(value) * 10n ** 12n);
  fc.assert(
    fc.property(fc.array(fc.oneof(some, short)), (values) => {
      const text = values.map(formatDecimal).join(' ');
      const column = new DecimalColumn(text);
      for (const [index, value] of values.entries()) {
        const before = values.slice(0, index).map((each) => `${formatDecimal(each)} `);
        expect(column.place).toBe(before.join('').length);
        expect(column.next()).toBe(value);
      }
    }),
  );
});

test.each(['0', '-0', '7', '007', '0.10', '123456789012345', '999999999999999.999999999999999999'])(
  'reads %s',
  (text) => {
    expect(new DecimalColumn(text).next()).toBe(parseSignedDecimal(text));
  },
);

test.each(['', '-', '.', '1.', '.5', '1.2.3', 'NaN', '1e3', '+1', '1234567890123456', '--1'])(
  'refuses "%s"',
  (text) => {
    expect(() => new DecimalColumn(`1 ${text}`).next()).not.toThrow();
    const column = new DecimalColumn(`1 ${text}`);
    column.next();
    expect(() => column.next()).toThrow(RangeError);
  },
);
