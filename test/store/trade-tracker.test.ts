import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ExecutionStore } from '../../src/store/position/execution-store.ts';
import { anExecution } from '../support/an-execution.ts';
import { openTestDatabase } from '../support/postgres.ts';

/** The example that Trade Tracker's own tests have. */
const example = [
  [123, '100', '23', 1_650_896_178],
  [233, '50', '6', 1_650_896_178],
  [123, '7', '23', 1_650_896_180],
  [123, '25', '23', 1_650_896_181],
  [233, '150', '7', 1_650_896_181],
] as const;

describe("Trade Tracker's tables", () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    database = await openTestDatabase();
    const executions = example.map(([id, quantity, price, second]) =>
      anExecution({
        instrument: `external:${id}`,
        quantity,
        price,
        executedTime: second * 1_000_000,
      }),
    );
    // None of these is one of its instruments.
    const others = [
      'external:x1',
      'external:00123',
      'external:-1',
      'external:9223372036854775808',
      'binance:123',
    ].map((instrument) => anExecution({ instrument }));
    await new ExecutionStore(database).record([...executions.toReversed(), ...others]);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  test('show the trades of numeric instruments', async () => {
    const rows = await database.run(
      (sql) => sql`
        select instrument_id, size::text, price::text, extract(epoch from "timestamp")::text as second
        from trades order by "timestamp", instrument_id`,
    );
    const expected = example.map(([instrument_id, size, price, second]) => ({
      instrument_id,
      size,
      price,
      second: `${second}.000000`,
    }));
    expect(rows).toEqual(expected);
  });

  test.each(['trades', 'positions'])('can be asked for one instrument: %s', async (table) => {
    const rows = await database.run((sql) =>
      sql.text(`select size from ${table} where instrument_id = 123`),
    );
    expect(rows).toHaveLength(3);
  });

  test('have every id that was possible there', async () => {
    await using own = await openTestDatabase();
    const ids = ['0', '1234567890123456789', '9223372036854775807'];
    const executions = ids.map((id) => anExecution({ instrument: `external:${id}` }));
    await new ExecutionStore(own).record(executions);
    const rows = await own.run(
      (sql) => sql<{ id: string }>`
        select instrument_id::text as id from trades order by instrument_id`,
    );
    expect(rows.map(({ id }) => id)).toEqual(ids);
  });

  test('show what was held after each of them', async () => {
    const rows = await database.run(
      (sql) => sql<{ line: string }>`
        select concat_ws(' ', instrument_id, size, extract(epoch from "timestamp")::bigint) as line
        from positions order by id`,
    );
    expect(rows.map(({ line }) => line)).toEqual([
      '123 100 1650896178',
      '123 107 1650896180',
      '123 132 1650896181',
      '233 50 1650896178',
      '233 200 1650896181',
    ]);
  });
});
