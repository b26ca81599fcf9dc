import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OrderManager } from '../../src/order/order-manager.ts';
import { importMutant } from '../support/mutant.ts';
import { checkOrders } from './orders.ts';
import type { ManagerClass } from './orders.ts';
import { scenarios } from './orders-scenario.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const numRuns = process.env['CI'] === 'true' ? 10_000 : 500;

test('whatever fails, and when, orders are kept, filled once, and told only as they are stored', async () => {
  console.log(`orders: ${numRuns} cases, SEED=${seed}`);
  await fc.assert(
    fc.asyncProperty(scenarios, (steps) => checkOrders(OrderManager, steps)),
    { seed, numRuns },
  );
}, 600_000);

// A property that no mistake can break proves nothing.
test.each([
  {
    name: 'a commit that failed is taken for stored',
    file: 'order/commit-queue.ts',
    find: "return this.#options.onFailed({ reason: 'unknown', cause });",
    replace: "outcome = { type: 'committed', duplicates: new Map() };",
  },
  {
    name: 'what was used of a level is forgotten when a shard is loaded',
    file: 'order/shard-engines.ts',
    find: '    engine.restore(consumed);\n',
    replace: '',
  },
  {
    name: 'an order whose commit failed is sent again without a look at what is stored',
    file: 'order/shard.ts',
    find: 'if (session.get(order) !== undefined) {',
    replace: 'if (hasFailed) return false;\n  if (session.get(order) !== undefined) {',
  },
  {
    name: 'a cancel is told when it is decided',
    file: 'order/shard-session.ts',
    find: 'const isAwaited = canceling?.order.orderId === event.orderId;',
    replace:
      'const isAwaited = canceling?.order.orderId === event.orderId;\n    if (isAwaited) canceling.answer.resolve(order);',
  },
  {
    name: 'a client order id is enough to be the same order',
    file: 'order/same-request.ts',
    find: 'if (isSame) return',
    replace: 'return',
  },
  {
    name: 'a ticker holds although the line was lost',
    file: 'order/shard-engines.ts',
    find: 'engine.handleMarketLost(reason, clock.now());\n      if',
    replace: 'void reason;\n      if',
  },
  {
    name: 'a halt is known, and who is halted is filled',
    file: 'order/shard-session.ts',
    find: 'this.#engines.halt(halts);',
    replace: '',
  },
])('the model notices when $name', async (mutation) => {
  await using mutant = await importMutant<{ OrderManager: ManagerClass }>(
    ['base', 'domain', 'order'],
    'order/order-manager.ts',
    mutation,
  );
  const result = await fc.check(
    fc.asyncProperty(scenarios, (steps) => checkOrders(mutant.module.OrderManager, steps)),
    { seed, numRuns: 2_000, endOnFailure: true },
  );
  expect(result.failed).toBe(true);
});
