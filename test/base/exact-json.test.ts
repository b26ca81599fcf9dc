import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDecimal, parseDecimal } from '../../src/base/decimal.ts';
import { ExactNumber, parseExactJson } from '../../src/base/exact-json.ts';

const decimalOf = (text: string) => {
  const number = parseExactJson(text);
  if (!(number instanceof ExactNumber)) throw new Error('Expected a number');
  return number.decimal;
};

/** The same with plain numbers. */
function plainOf(value: unknown): unknown {
  if (value instanceof ExactNumber) return Number(value.source);
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plainOf(part)]));
}

test('all but the numbers is as JSON.parse has it', () => {
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false }), (text) => {
      fc.pre(!text.includes('__proto__'));
      expect(plainOf(parseExactJson(text))).toEqual(JSON.parse(text));
    }),
  );
});

test('what is nested without end is an error like any other', () => {
  expect(() => parseExactJson('['.repeat(500_000) + ']'.repeat(500_000))).toThrow(Error);
});

test('any decimal keeps its value, however it is written', () => {
  const digits = fc.stringMatching(/^[1-9]\d{0,14}$/u);
  const decimals = fc.stringMatching(/^\d{0,17}[1-9]$/u);
  fc.assert(
    fc.property(digits, decimals, fc.integer({ min: -12, max: 12 }), (whole, fraction, shift) => {
      const value = parseDecimal(`${whole}.${fraction}`);
      expect(formatDecimal(decimalOf(`${whole}.${fraction}`))).toBe(formatDecimal(value));
      // The same value, its point moved, and moved back by the exponent.
      const all = whole + fraction;
      const moved = `${all}e${shift - fraction.length}`;
      const back = `${whole}.${fraction}e${shift}`;
      const read = (text: string) => {
        try {
          return decimalOf(text);
        } catch {
          return undefined;
        }
      };
      expect(read(moved)).toBe(read(back));
      if (shift === 0) expect(read(moved)).toBe(value);
    }),
  );
});

describe('no decimal is', () => {
  test.each(['-1', '-0.0', '1e15', '1e-19', '1e99999', '1e-99999', '0.1234567890123456789'])(
    '%s',
    (text) => {
      expect(() => decimalOf(text)).toThrow(RangeError);
    },
  );
});

describe('an integer is', () => {
  test.each([
    ['0', 0],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', undefined],
    ['-1', undefined],
    ['1.0', undefined],
    ['1e3', undefined],
  ])('%s: %s', (text, integer) => {
    expect(parseExactJson(text)).toMatchObject({ integer });
  });
});
