import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Execution } from '../../../src/domain/execution.ts';
import { ExecutionReader } from '../../../src/store/position/execution-reader.ts';
import { ExecutionStore } from '../../../src/store/position/execution-store.ts';
import { FreezeStore } from '../../../src/store/position/freeze-store.ts';
import { anExecution } from '../../support/an-execution.ts';
import { openTestDatabase } from '../../support/postgres.ts';
import { recordFill } from '../../support/record-fill.ts';

const start = Date.UTC(2026, 0, 31, 23, 59) * 1000;

describe('a freeze', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let store: ExecutionStore;
  let freezes: FreezeStore;
  beforeAll(async () => {
    database = await openTestDatabase();
    store = new ExecutionStore(database);
    freezes = new FreezeStore(database);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  test('accepts nothing up to and with its end, and is named', async () => {
    const account = 'closed';
    const before = anExecution({ account, executedTime: start - 1 });
    await store.record([before]);
    const freeze = await freezes.freeze({ account, instrument: undefined }, start);
    const [, ...late] = [0, -1, 0].map((offset) =>
      anExecution({ account, executedTime: start + offset }),
    );
    const behind = anExecution({ account, executedTime: start + 1 });
    expect(await store.record([before, { ...before, fee: 1n }, ...late, behind])).toEqual([
      { type: 'duplicate' },
      { type: 'conflict' },
      { type: 'frozen', freeze },
      { type: 'frozen', freeze },
      { type: 'recorded' },
    ]);
    // What was refused may come again, elsewhere.
    const [first] = late;
    const moved = { ...first, executedTime: start + 2 } as Execution;
    expect(await store.record([moved])).toEqual([{ type: 'recorded' }]);
  });

  const here = { account: 'scoped', instrument: 'x:1' };
  test.each([
    ['an account and instrument', here, 'frozen recorded recorded'],
    ['an account', { account: 'scoped', instrument: undefined }, 'frozen frozen recorded'],
    ['an instrument', { account: undefined, instrument: 'x:1' }, 'frozen recorded frozen'],
    ['all', { account: undefined, instrument: undefined }, 'frozen frozen frozen'],
  ])('of %s is about nothing else', async (_, scope, expected) => {
    await using own = await openTestDatabase();
    await new FreezeStore(own).freeze(scope, start);
    const outcomes = await new ExecutionStore(own).record([
      anExecution({ ...here, executedTime: start }),
      anExecution({ ...here, instrument: 'x:2', executedTime: start }),
      anExecution({ ...here, account: 'other', executedTime: start }),
    ]);
    expect(outcomes.map(({ type }) => type).join(' ')).toBe(expected);
  });

  test('never keeps a fill away: it is booked right after the last one, and names its true time', async () => {
    const account = 'filled';
    await freezes.freeze({ account, instrument: undefined }, start);
    // The month of the fill ends with the freeze, so that it is booked in the next one.
    const end = Date.UTC(2026, 1, 1) * 1000 - 1;
    await freezes.freeze({ account, instrument: 'external:123' }, end);
    const fill = anExecution({ account, sourceId: 'o:00001', executedTime: start - 5 });
    expect(await recordFill(database, fill)).toBe(end + 1);
    expect(await recordFill(database, fill)).toBe(end + 1);
    const reader = new ExecutionReader(database);
    expect(await reader.list({ account, limit: 9 })).toMatchObject([
      { source: 'order', sourceId: 'o:00001', executedTime: end + 1, decidedTime: start - 5 },
    ]);
  });

  test('reaches to a minute before now at most', async () => {
    const [row] = await database.run((sql) => sql<{ now: number }>`select now()`);
    const now = row?.now ?? 0;
    const scope = { account: 'recent', instrument: undefined };
    await expect(freezes.freeze(scope, now - 30_000_000)).rejects.toMatchObject({
      name: 'Refusal',
      message: 'until: expected a time at least 60 s ago',
    });
    expect(await freezes.freeze(scope, now - 61_000_000)).toMatchObject(scope);
  });

  test('waits for whoever is recording: nothing gets in behind it', async () => {
    const execution = anExecution({ account: 'slow', executedTime: start });
    let freezing: Promise<unknown> | undefined;
    const order: string[] = [];
    await database.transaction(async (sql) => {
      await sql`
        select * from record_executions(
          array[${execution.account}], array[${execution.instrument}], array['test'],
          array[${execution.sourceId}], '{1}', '{1}', '{0}', '{2026-01-31T23:59:00Z}', '{NULL}')`;
      freezing = freezes
        .freeze({ account: 'slow', instrument: undefined }, start)
        .then(() => order.push('frozen'));
      // Until the freeze waits for its lock.
      for (let isWaiting = false; !isWaiting;) {
        const [row] = await sql`select count(*) as count from pg_locks where not granted`;
        isWaiting = row?.['count'] !== 0;
      }
      order.push('recorded');
    });
    await freezing;
    expect(order).toEqual(['recorded', 'frozen']);
    const late = anExecution({ account: 'slow', executedTime: start });
    expect(await store.record([late])).toMatchObject([{ type: 'frozen' }]);
  });

  test('stays for ever, and all are listed in pages', async () => {
    const all = await freezes.list(0, 100);
    expect(all.length).toBeGreaterThan(2);
    expect(await freezes.list(all[0]?.freezeId ?? 0, 1)).toEqual(all.slice(1, 2));
    await expect(database.run((sql) => sql`delete from position_freeze`)).rejects.toThrow(
      'position_freeze is append-only: delete is refused',
    );
  });
});
