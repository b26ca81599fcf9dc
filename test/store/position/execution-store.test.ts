import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Execution } from '../../../src/domain/execution.ts';
import type { Database } from '../../../src/store/database.ts';
import { ExecutionReader } from '../../../src/store/position/execution-reader.ts';
import { ExecutionStore } from '../../../src/store/position/execution-store.ts';
import { PostgresPositionStore } from '../../../src/store/position/postgres-position-store.ts';
import { anExecution } from '../../support/an-execution.ts';
import { openTestDatabase } from '../../support/postgres.ts';

const day = 86_400_000_000;
const start = Date.UTC(2026, 0, 1) * 1000;

describe('the execution store', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let store: ExecutionStore;
  let reader: ExecutionReader;
  let accounts = 0;
  /** Each test has an account of its own. */
  const anAccount = () => `account-${++accounts}`;
  const record = async (...executions: Execution[]) =>
    (await store.record(executions)).map(({ type }) => type);
  const listed = (account: string) => reader.list({ account, limit: 5000 });

  beforeAll(async () => {
    database = await openTestDatabase();
    store = new ExecutionStore(database);
    reader = new ExecutionReader(database);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  test('gives back every field, to the last digit and microsecond', async () => {
    const account = 'Ünï"\\,{}\'🚀 NULL';
    const executions = [
      anExecution({
        account,
        instrument: `${'x'.repeat(32)}:${'ü'.repeat(32)}`,
        source: 'NULL',
        sourceId: '{"a",\\ NULL}',
        quantity: -(10n ** 33n - 1n),
        price: 10n ** 33n - 1n,
        fee: -(10n ** 33n - 1n),
        executedTime: 0,
        corrects: 'NULL',
      }),
      anExecution({ account, quantity: 1n, price: 1n, fee: 1n, executedTime: start + 999_999 }),
    ];
    expect(await record(...executions)).toEqual(['recorded', 'recorded']);
    const expected = executions.map((execution) => ({
      ...execution,
      corrects: execution.corrects,
      decidedTime: undefined,
    }));
    expect(await listed(account)).toMatchObject(
      expected.toSorted((a, b) => (a.instrument < b.instrument ? -1 : 1)),
    );
  });

  test('knows by account, source and source id what it has recorded', async () => {
    const account = anAccount();
    const execution = anExecution({ account });
    expect(await record(execution)).toEqual(['recorded']);
    expect(
      await record(
        execution,
        { ...execution, source: 'other' },
        { ...execution, account: anAccount() },
        { ...execution, sourceId: 'other' },
        execution,
      ),
    ).toEqual(['duplicate', 'recorded', 'recorded', 'recorded', 'duplicate']);
    expect(await listed(account)).toHaveLength(3);
  });

  test.each<[string, Partial<Execution>]>([
    ['instrument', { instrument: 'external:124' }],
    ['quantity', { quantity: 2n }],
    ['price', { price: 2n }],
    ['fee', { fee: 2n }],
    ['time, also in another month', { executedTime: start + 40 * day }],
    ['correction', { corrects: 'other' }],
  ])('what comes again with another %s is a conflict', async (_, difference) => {
    const account = anAccount();
    const execution = anExecution({ account });
    const other = { ...execution, ...difference };
    expect(await record(execution, other, execution)).toEqual([
      'recorded',
      'conflict',
      'duplicate',
    ]);
    expect(await record(other)).toEqual(['conflict']);
    expect(await listed(account)).toHaveLength(1);
  });

  test('many of one key in a batch are answered in two statements', async () => {
    const account = anAccount();
    let statements = 0;
    const counting: Database = {
      ...database,
      run: (work) => {
        statements++;
        return database.run(work);
      },
    };
    const execution = anExecution({ account });
    const other = { ...execution, fee: 1n };
    const batch = Array.from({ length: 100 }, () => [execution, other]).flat();
    const outcomes = await new ExecutionStore(counting).record(batch);
    const expected = Array.from({ length: 99 }, () => ['duplicate', 'conflict']).flat();
    expect(outcomes.map(({ type }) => type)).toEqual(['recorded', 'conflict', ...expected]);
    expect(statements).toBe(2);
  });

  test('many who record the same at once record it once, and none locks another up', async () => {
    const account = anAccount();
    const executions = Array.from({ length: 300 }, (_, index) =>
      anExecution({ account, instrument: `external:${index % 7}`, executedTime: start + index }),
    );
    const orders = [executions, executions.toReversed(), executions.slice(100), executions];
    const outcomes = await Promise.all(orders.map((order) => record(...order)));
    expect(outcomes.flat().filter((type) => type === 'recorded')).toHaveLength(300);
    expect(new Set(outcomes.flat())).toEqual(new Set(['recorded', 'duplicate']));
    expect(await listed(account)).toHaveLength(300);
  });

  test('takes any time since 1970 and up to ten minutes ahead, each into its month', async () => {
    const account = anAccount();
    const [row] = await database.run((sql) => sql<{ now: number }>`select now()`);
    const now = row?.now ?? 0;
    const times = Array.from({ length: 400 }, (_, month) => Date.UTC(1970, month, 1) * 1000);
    const executions = [...times, now + 500_000_000].map((executedTime) =>
      anExecution({ account, executedTime }),
    );
    expect(new Set(await record(...executions))).toEqual(new Set(['recorded']));
    expect((await listed(account)).map(({ executedTime }) => executedTime)).toEqual(
      [...times, now + 500_000_000].toSorted((a, b) => a - b),
    );
    const ahead = anExecution({ account, executedTime: now + 700_000_000 });
    expect(await store.record([ahead])).toEqual([
      {
        type: 'refused',
        field: 'executed_time',
        reason: 'executed_time: expected at most 10 minutes after now',
      },
    ]);
  });

  test('many who come with the first executions of a month make its partition once', async () => {
    const account = anAccount();
    for (let month = 0; month < 20; month++) {
      const executedTime = Date.UTC(1950 + 60, month, 3) * 1000;
      const outcomes = await Promise.all(
        Array.from({ length: 4 }, () => record(anExecution({ account, executedTime }))),
      );
      expect(outcomes.flat()).toEqual(['recorded', 'recorded', 'recorded', 'recorded']);
    }
  });

  test.each(['execution', 'execution_202601', 'execution_key', 'position_change'])(
    '%s refuses to be changed, also by its owner',
    async (table) => {
      await record(anExecution({ account: anAccount() }));
      for (const statement of [
        `update ${table} set ${table === 'execution_key' ? 'body_hash = key_hash' : "account = 'x'"}`,
        `delete from ${table}`,
        `truncate ${table}`,
      ]) {
        await expect(database.run((sql) => sql.text(statement))).rejects.toThrow(
          `${table} is append-only: ${statement.split(' ')[0]} is refused`,
        );
      }
    },
  );

  const tooLarge = 10n ** 33n;
  const poison: [string, Partial<Execution>, string][] = [
    ['a NUL in its account', { account: 'a\0b' }, 'account: expected Unicode text without control'],
    ['a unit separator', { source: 'a\x1fb' }, 'source: expected Unicode text without control'],
    ['half a surrogate pair', { sourceId: 'a\ud800' }, 'source_id: expected Unicode text'],
    ['a NUL in what it corrects', { corrects: '\0' }, 'corrects: expected Unicode text'],
    ['no account', { account: '' }, 'account: expected a text'],
    ['an account of 65 bytes', { account: 'ü'.repeat(32) + 'x' }, 'account: expected at most 64'],
    ['a source id of a megabyte', { sourceId: 'x'.repeat(1 << 20) }, 'source_id: expected at most'],
    ['no exchange', { instrument: 'BTCUSDT' }, 'instrument: expected exchange:SYMBOL'],
    ['an empty exchange', { instrument: ':BTCUSDT' }, 'instrument: expected exchange:SYMBOL'],
    ['the source of our own fills', { source: 'order' }, 'source: expected another than order'],
    ['no quantity', { quantity: 0n }, 'quantity: expected a number other than 0'],
    ['10^40 of it', { quantity: 10n ** 58n }, 'quantity: expected at most 15 digits'],
    ['a short position of 10^15', { quantity: -tooLarge }, 'quantity: expected at most 15 digits'],
    ['a price of 0', { price: 0n }, 'price: expected a number above 0'],
    ['a price below 0', { price: -1n }, 'price: expected a number above 0'],
    ['a price of 10^15', { price: tooLarge }, 'price: expected at most 15 digits'],
    ['a fee of 10^15', { fee: tooLarge }, 'fee: expected at most 15 digits'],
    ['a time before 1970', { executedTime: -1 }, 'executed_time: expected whole microseconds'],
    ['half a microsecond', { executedTime: 0.5 }, 'executed_time: expected whole microseconds'],
    ['no time', { executedTime: Number.NaN }, 'executed_time: expected whole microseconds'],
    ['the year 9999', { executedTime: 253_370_764_800_000_000 }, 'executed_time: expected'],
    [
      'the year 2200',
      { executedTime: Date.UTC(2200, 0) * 1000 },
      'executed_time: expected at most',
    ],
  ];
  test.each(poison)('one with %s is refused, the rest is stored', async (_, bad, reason) => {
    const account = anAccount();
    const good = Array.from({ length: 4 }, () => anExecution({ account }));
    const outcomes = await store.record([
      ...good.slice(0, 2),
      { ...anExecution({ account }), ...bad },
      ...good.slice(2),
    ]);
    expect(outcomes.map(({ type }) => type)).toEqual([
      'recorded',
      'recorded',
      'refused',
      'recorded',
      'recorded',
    ]);
    const [field] = reason.split(':');
    expect(outcomes[2]).toMatchObject({ field, reason: expect.stringContaining(reason) });
    expect(await listed(account)).toHaveLength(4);
  });

  test('what only the database refuses is found, and keeps nothing else from being stored', async () => {
    await using own = await openTestDatabase();
    await own.run((sql) =>
      sql.text(`alter table execution add constraint no_poison check (source_id not like 'bad%')`),
    );
    const ids = ['1', 'bad1', '2', '3', 'bad2', '4'];
    const outcomes = await new ExecutionStore(own).record(
      ids.map((sourceId) => anExecution({ sourceId })),
    );
    expect(outcomes.map(({ type }) => type).join(' ')).toBe(
      'recorded refused recorded recorded refused recorded',
    );
    expect(outcomes[1]).toMatchObject({ reason: expect.stringContaining('no_poison') });
  });

  const quantities = ['NaN', 'Infinity', '-Infinity', '1e15', '-1e15', '0'];
  test.each([
    ...quantities.map((value) => ['quantity', value] as const),
    ...['NaN', 'Infinity', '-1', '0'].map((value) => ['price', value] as const),
    ...['NaN', 'Infinity'].map((value) => ['fee', value] as const),
  ])('the table itself refuses %s = %s', async (column, value) => {
    const columns = { quantity: '1', price: '1', fee: '0', [column]: value };
    await expect(
      database.run((sql) =>
        sql.text(
          `insert into execution (account, instrument, executed_time, source, source_id, quantity, price, fee)
           values ('a', 'x:1', '2026-01-01', 's', '1', $1, $2, $3)`,
          [columns.quantity, columns.price, columns.fee],
        ),
      ),
    ).rejects.toThrow(/execution_quantity|execution_price|execution_fee|overflow/u);
  });

  test('lists by key, in pages, both ways, and what is asked for', async () => {
    const account = anAccount();
    const executions = [0, 1, 1, 2].map((time, index) =>
      anExecution({
        account,
        sourceId: `${index}`,
        executedTime: start + time,
        source: index === 3 ? 'other' : 'test',
      }),
    );
    const elsewhere = anExecution({ account, instrument: 'external:0', sourceId: 'x' });
    await record(...executions.toReversed(), elsewhere);
    const ids = async (query: object) =>
      (await reader.list({ account, limit: 99, ...query }))
        .map(({ sourceId }) => sourceId)
        .join('');
    const instrument = 'external:123';
    const [, second] = executions;
    expect(await ids({})).toBe('x0123');
    expect(await ids({ newestFirst: true })).toBe('3210x');
    expect(await ids({ instrument, limit: 2 })).toBe('01');
    expect(await ids({ instrument, limit: 2, after: second })).toBe('23');
    expect(await ids({ instrument, after: second, newestFirst: true })).toBe('0');
    expect(await ids({ instrument, from: start + 1, to: start + 2 })).toBe('12');
    expect(await ids({ source: 'other' })).toBe('3');
  });

  test('whoever reads on from the highest log position misses no change', async () => {
    const positions = new PostgresPositionStore(database);
    const first = await positions.lastLogPosition();
    let isRunning = true;
    const seen: number[] = [];
    const read = (async () => {
      let last = first;
      for (let isLast = false; !isLast;) {
        isLast = !isRunning;
        for (const { logPosition } of await positions.changesAfter(last, 1000)) {
          seen.push(logPosition);
          last = logPosition;
        }
      }
    })();
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        const account = anAccount();
        for (let round = 0; round < 30; round++) {
          const some = Array.from({ length: round % 3 }, (_, index) =>
            anExecution({ account, instrument: `external:${index}` }),
          );
          await record(...some);
        }
      }),
    );
    isRunning = false;
    await read;
    const rows = await database.run(
      (sql) => sql<{ log_position: number }>`
        select log_position from position_change
        where log_position > ${first} order by log_position`,
    );
    expect(seen).toEqual(rows.map(({ log_position }) => log_position));
    expect(seen).toHaveLength(90);
  });
});
