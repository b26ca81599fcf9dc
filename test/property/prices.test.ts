import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Market } from '../../src/market/market.ts';
import { PriceBook } from '../../src/market/price-book.ts';
import { importMutant } from '../support/mutant.ts';
import { priceScenarios } from './price-scenario.ts';
import { checkPrices, openShelf } from './prices.ts';
import type { Engine } from './prices.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const numRuns = process.env['CI'] === 'true' ? 5_000 : 500;

const check = (engine: Engine) =>
  fc.asyncProperty(priceScenarios, (scenario) => checkPrices(engine, scenario, openShelf()));

test('any trades, arrival order, period and restart give the statistics of the model', async () => {
  console.log(`prices: ${numRuns} cases, SEED=${seed}`);
  await fc.assert(check({ Market, PriceBook }), { seed, numRuns });
});

// A property that no mistake can break proves nothing.
test.each([
  {
    name: 'the running second is left out',
    file: 'market/price-window.ts',
    find: '(Math.floor(now / step) + 1) * step',
    replace: 'Math.floor(now / step) * step',
  },
  {
    name: 'a block of seconds keeps what it held before a late trade',
    file: 'market/second-blocks.ts',
    find: 'blocks.delete(Math.floor(openTime / length) * length);',
    replace: 'void openTime;',
  },
  {
    name: 'an open candle counts up to its end',
    file: 'market/price-memory.ts',
    find: 'Math.min(closeTime, this.#closedThrough)',
    replace: 'closeTime',
  },
  {
    name: 'seconds are not read from the store',
    file: 'market/price-history.ts',
    find: "'1d', '1h', '1m', '1s'",
    replace: "'1d', '1h', '1m'",
  },
  {
    name: 'averages of exchanges are averaged',
    file: 'market/price-statistics.ts',
    find: 'divideHalfEven(priceSum, BigInt(tradeCount))',
    replace: `divideHalfEven(
      parts.reduce((all, { sum }) => all + (sum.tradeCount === 0 ? 0n : sum.priceSum / BigInt(sum.tradeCount)), 0n),
      BigInt(parts.filter(({ sum }) => sum.tradeCount > 0).length),
    )`,
  },
  {
    name: 'the first of exchanges is the last',
    file: 'market/price-statistics.ts',
    find: 'sum.openTradeTime < firstPart.sum.openTradeTime',
    replace: 'sum.openTradeTime > firstPart.sum.openTradeTime',
  },
  {
    name: 'the last of exchanges is the first',
    file: 'market/price-statistics.ts',
    find: 'sum.closeTradeTime >= lastPart.sum.closeTradeTime',
    replace: 'sum.closeTradeTime < lastPart.sum.closeTradeTime',
  },
  {
    name: 'nothing is ever complete',
    file: 'market/price-statistics.ts',
    find: 'let isComplete = true;',
    replace: 'let isComplete = false;',
  },
  {
    name: 'everything is always complete',
    file: 'market/price-statistics.ts',
    find: 'isComplete = false;',
    replace: 'isComplete = true;',
  },
  {
    name: 'what has not been heard yet is covered',
    file: 'market/price-statistics.ts',
    find: 'to = Math.max(to, part.to);',
    replace: 'to = window.to;',
  },
  {
    name: 'what was before the observation is covered',
    file: 'market/price-statistics.ts',
    find: 'from = Math.min(from, part.from);',
    replace: 'from = window.from;',
  },
  {
    name: 'exchanges cover what all of them do',
    file: 'market/price-statistics.ts',
    find: 'to = Math.max(to, part.to);',
    replace: 'to = Math.min(to === window.from ? window.to : to, part.to);',
  },
])('the model notices when $name', async ({ file, find, replace }) => {
  const parts = ['base', 'domain', 'market'];
  await using books = await importMutant<{ PriceBook: typeof PriceBook }>(
    parts,
    'market/price-book.ts',
    { file, find, replace },
  );
  await using markets = await importMutant<{ Market: typeof Market }>(parts, 'market/market.ts', {
    file,
    find,
    replace,
  });
  const engine = { Market: markets.module.Market, PriceBook: books.module.PriceBook };
  const result = await fc.check(check(engine), { seed, numRuns: 1_000, endOnFailure: true });
  expect(result.failed).toBe(true);
});
