import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdRanges } from '../../../src/simulator/faults/id-ranges.ts';

const id = fc.integer({ min: 0, max: 40 });
const range = fc.tuple(id, id).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));

test('ranges and single ids hold the ids of a plain set', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 6 }), fc.array(id), (ranges, ids) => {
      const set = new Set(ids);
      for (const { from, to } of ranges) for (let each = from; each <= to; each++) set.add(each);
      const kept = new IdRanges(ranges);
      for (const each of ids) expect(kept.add(each)).toBe(true);
      for (let each = 0; each <= 42; each++) {
        expect(kept.has(each)).toBe(set.has(each));
        let outside = each;
        while (set.has(outside)) outside++;
        let found = kept.firstOutside(each);
        // Ranges that touch may be apart in it.
        while (found !== kept.firstOutside(found)) found = kept.firstOutside(found);
        expect(found).toBe(outside);
      }
    }),
  );
});

test('a run of ids is one range', () => {
  const ids = new IdRanges();
  for (let each = 7; each < 1_000; each++) ids.add(each);
  expect(ids.ranges).toEqual([{ from: 7, to: 999 }]);
});

test('a set of too many ranges takes no more', () => {
  const ids = new IdRanges();
  for (let each = 0; each < 100_000; each++) ids.add(2 * each);
  expect(ids.add(300_000)).toBe(false);
  expect(ids.has(300_000)).toBe(false);
});
