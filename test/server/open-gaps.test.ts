import { expect, test } from 'vitest';
import type { Gap } from '../../src/domain/gap.ts';
import { OpenGaps } from '../../src/server/open-gaps.ts';

function aGap(firstMissingId: number, state: Gap['state'], instrument = 'kraken:BTCUSD'): Gap {
  const lastMissingId = firstMissingId + 1;
  return { type: 'gap', instrument, firstMissingId, lastMissingId, fromTime: 1, toTime: 2, state };
}

test('a gap is open until it was filled, or the exchange has not got it either', () => {
  const gaps = new OpenGaps();
  const open = [aGap(1, 'open'), aGap(5, 'open'), aGap(9, 'open')];
  for (const gap of [...open, aGap(5, 'open', 'coinbase:BTCUSD')]) gaps.note(gap);
  expect(gaps.of('kraken:BTCUSD')).toEqual(open);
  gaps.note(aGap(5, 'filled'));
  gaps.note(aGap(1, 'absent'));
  expect(gaps.of('kraken:BTCUSD')).toEqual([aGap(9, 'open')]);
  expect(gaps.of('coinbase:BTCUSD')).toHaveLength(1);
  expect(gaps.of('binance:BTCUSDT')).toEqual([]);
});
