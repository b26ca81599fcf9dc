import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Market } from '../../src/market/market.ts';
import { importMutant } from '../support/mutant.ts';
import { scenarios } from './candle-scenario.ts';
import { checkCandles } from './candles.ts';
import type { MarketClass } from './candles.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const numRuns = process.env['CI'] === 'true' ? 10_000 : 1_000;

test('any arrival order, duplication, break and restart gives the candles of the model', () => {
  console.log(`candles: ${numRuns} cases, SEED=${seed}`);
  fc.assert(
    fc.property(scenarios, ({ lives }) => checkCandles(Market, lives)),
    { seed, numRuns },
  );
});

// A property that no mistake can break proves nothing.
test.each([
  {
    name: 'late trades are left out of the longer candles',
    file: 'market/candle-revisions.ts',
    find: 'if (!series.retains(trade.exchangeTime, closedThrough)) continue;',
    replace: "if (series.timeframe !== '1s') continue;",
  },
  {
    name: 'the last trade to arrive is the close',
    file: 'domain/candle-sum.ts',
    find: 'closeTime > this.closeTradeTime ||',
    replace: 'closeTime >= this.openTradeTime ||',
  },
  {
    name: 'a flat candle keeps the price it was closed with',
    file: 'market/candle-revisions.ts',
    find: 'carry(slots, series, slot);',
    replace: 'return;',
  },
  {
    name: 'a duplicate counts again',
    file: 'market/candle-series.ts',
    find: '!this.ids.has(trade.id)',
    replace: 'true',
  },
  {
    name: 'a missing id leaves its candle complete',
    file: 'market/trade-ids.ts',
    find: 'return this.#holes.some((hole) => !hole.isUsual && touches(hole)) || this.#lost.some(touches);',
    replace: 'return false;',
  },
])('the model notices when $name', async (mutation) => {
  await using mutant = await importMutant<{ Market: MarketClass }>(
    ['base', 'domain', 'market'],
    'market/market.ts',
    mutation,
  );
  const result = fc.check(
    fc.property(scenarios, ({ lives }) => checkCandles(mutant.module.Market, lives)),
    { seed, numRuns: 2_000, endOnFailure: true },
  );
  expect(result.failed).toBe(true);
});
