import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Positions } from '../../src/position/positions.ts';
import { ExecutionStore } from '../../src/store/position/execution-store.ts';
import { FreezeStore } from '../../src/store/position/freeze-store.ts';
import { PostgresPositionStore } from '../../src/store/position/postgres-position-store.ts';
import { importMutant } from '../support/mutant.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { recordFill } from '../support/record-fill.ts';
import { TwinPositions } from '../support/twin-positions.ts';
import { scenarios } from './position-scenario.ts';
import { checkPositions, segmentLength } from './positions.ts';
import type { PositionsClass, Stores } from './positions.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const isCi = process.env['CI'] === 'true';

/** A store in memory, whose answers take more or less long. */
function twinStores(pace: number): Stores {
  let state = pace;
  const twin = new TwinPositions(segmentLength, async () => {
    state = (state * 48_271) % 2_147_483_647;
    const longest = state % 3 === 0 ? 29 : 4;
    for (let ticks = state % longest; ticks > 0; ticks--) await Promise.resolve();
  });
  return {
    positions: twin,
    record: (executions) => twin.record(executions),
    recordFill: (fill) => twin.recordFill(fill),
    freeze: (scope, until) => twin.freeze(scope, until),
    accountOf: (account) => account,
  };
}

const paces = fc.integer({ min: 1, max: 1_000_000 });
const onTwin = (PositionsUnderTest: PositionsClass) =>
  fc.asyncProperty(scenarios, paces, (scenario, pace) =>
    checkPositions(PositionsUnderTest, scenario, twinStores(pace)),
  );

test('any order, batches, repeats, freezes, restarts and rebuilds give the positions of the model', async () => {
  const numRuns = isCi ? 10_000 : 1_000;
  console.log(`positions: ${numRuns} cases, SEED=${seed}`);
  await fc.assert(onTwin(Positions), { seed, numRuns });
});

// A property that no mistake can break proves nothing.
test.each([
  {
    name: 'a flip opens all that was traded',
    file: 'position/position-fold.ts',
    find: '(quantity + closed) * price - removed',
    replace: 'quantity * price - removed',
  },
  {
    name: 'the cost removed is cut off instead of rounded',
    file: 'position/position-fold.ts',
    find: 'return divideHalfEven(cost * closed, held * one) * one;',
    replace: 'return ((cost * closed) / (held * one)) * one;',
  },
  {
    name: 'segments are kept although something late came',
    file: 'position/snapshot-fold.ts',
    find: 'saveSegments(name, base, seenThrough, segments)',
    replace: 'saveSegments(name, base, Infinity, segments)',
  },
  {
    name: 'an execution at the very moment is left out',
    file: 'position/segment-fold.ts',
    find: 'time > at',
    replace: 'time >= at',
  },
  {
    name: 'a segment begins with the cost of its end',
    file: 'position/segment-fold.ts',
    find: 'volume: this.#fold.tradedVolume - before.tradedVolume,',
    replace: 'volume: this.#fold.tradedVolume - before.tradedVolume, before: this.#fold.state(),',
  },
  {
    name: 'a bin opens where it closes',
    file: 'position/position-history.ts',
    find: 'openQuantity: open,',
    replace: 'openQuantity: quantity,',
  },
])('the model notices when $name', async (mutation) => {
  await using mutant = await importMutant<{ Positions: PositionsClass }>(
    ['base', 'domain', 'position', 'store'],
    'position/positions.ts',
    mutation,
  );
  const result = await fc.check(onTwin(mutant.module.Positions), {
    seed,
    numRuns: 5_000,
    endOnFailure: true,
  });
  expect(result.failed).toBe(true);
});

describe('in Postgres', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    database = await openTestDatabase();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  let scenario = 0;
  const inPostgres = () =>
    fc.asyncProperty(scenarios, async (some) => {
      // One of all accounts would hold in the scenarios that follow, too.
      await database.run((sql) =>
        sql.text(`
          alter table position_freeze disable trigger append_only;
          delete from position_freeze;
          alter table position_freeze enable trigger append_only`),
      );
      const prefix = `${++scenario}-`;
      const executions = new ExecutionStore(database);
      const freezes = new FreezeStore(database);
      await checkPositions(Positions, some, {
        positions: new PostgresPositionStore(database, segmentLength),
        record: (batch) => executions.record(batch),
        recordFill: (fill) => recordFill(database, fill),
        freeze: (scope, until) => freezes.freeze(scope, until),
        accountOf: (account) => prefix + account,
      });
    });

  test('concurrent writers, freezes and rebuilds of two servers give the positions of the model', async () => {
    const numRuns = isCi ? 500 : 40;
    console.log(`positions in Postgres: ${numRuns} cases, SEED=${seed}`);
    await fc.assert(inPostgres(), { seed, numRuns });
  });

  test.each([
    {
      name: 'a late execution leaves what was kept',
      find: 'delete from position_segment',
      replace:
        'delete from position_segment where false and account = null; perform from position_segment',
    },
  ])('the model notices when $name', async ({ find, replace }) => {
    const [row] = await database.run(
      (sql) => sql<{ text: string }>`
        select pg_get_functiondef('record_executions'::regproc) as text`,
    );
    const text = row?.text ?? '';
    expect(text.split(find)).toHaveLength(2);
    await database.run((sql) => sql.text(text.replace(find, replace)));
    const result = await fc.check(inPostgres(), { seed, numRuns: 500, endOnFailure: true });
    await database.run((sql) => sql.text(text));
    expect(result.failed).toBe(true);
  });
});
