import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MatchingEngine } from '../../src/order/matching-engine.ts';
import { importMutant } from '../support/mutant.ts';
import { checkMatching } from './matching.ts';
import type { EngineClass } from './matching.ts';
import { scenarios } from './matching-scenario.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const numRuns = process.env['CI'] === 'true' ? 10_000 : 1_000;

test('any orders, tickers, cancels, expiries, halts and restarts are decided as by the model', () => {
  console.log(`matching: ${numRuns} cases, SEED=${seed}`);
  fc.assert(
    fc.property(scenarios, (scenario) => checkMatching(MatchingEngine, scenario)),
    { seed, numRuns },
  );
});

// A property that no mistake can break proves nothing.
test.each([
  {
    name: 'a repeated ticker makes its level available again',
    file: 'order/displayed-level.ts',
    find: '(price !== this.price || quantity !== this.quantity)',
    replace: 'true',
  },
  {
    name: 'orders are filled in the order of acceptance alone',
    file: 'order/open-orders.ts',
    find: '(a, b) => lowerFirst(a, b) || a.sequence - b.sequence',
    replace: '(a, b) => a.sequence - b.sequence',
  },
  {
    name: 'orders expire after they are filled',
    file: 'order/matching-engine.ts',
    find: '    this.#expireBefore(now);\n    this.#match(this.#book.bid, now);\n    this.#match(this.#book.ask, now);\n',
    replace:
      '    this.#match(this.#book.bid, now);\n    this.#match(this.#book.ask, now);\n    this.#expireBefore(now);\n',
  },
  {
    name: 'fills have the price of the limit',
    file: 'order/matching-engine.ts',
    find: 'const of = { price, quantity,',
    replace: 'const of = { price: open.limitPrice, quantity,',
  },
  {
    name: 'what was used before a restart is forgotten',
    file: 'order/displayed-level.ts',
    find: '    this.quantity = quantity;\n    this.consumed = consumed;',
    replace: '    this.quantity = quantity;',
  },
  {
    name: 'an order that was halted goes to the end of the line',
    file: 'order/open-orders.ts',
    find: 'else this.#lineOf(side).add(open);',
    replace: 'else this.#lineOf(side).add(Object.assign(open, { sequence: ++this.#accepted }));',
  },
  {
    name: 'an old ticker fills',
    file: 'order/matching-engine.ts',
    find: 'if (isStale) return this.#ask();',
    replace: '',
  },
])('the model notices when $name', async (mutation) => {
  await using mutant = await importMutant<{ MatchingEngine: EngineClass }>(
    ['base', 'domain', 'order'],
    'order/matching-engine.ts',
    mutation,
  );
  const result = fc.check(
    fc.property(scenarios, (scenario) => checkMatching(mutant.module.MatchingEngine, scenario)),
    { seed, numRuns: 2_000, endOnFailure: true },
  );
  expect(result.failed).toBe(true);
});
