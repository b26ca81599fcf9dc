import { expect, test } from 'vitest';
import { ExecutionRun } from '../../../src/store/position/execution-run.ts';
import { selectHistory } from '../../../src/store/position/position-history-row.ts';
import { PostgresPositionStore } from '../../../src/store/position/postgres-position-store.ts';
import { anExecution } from '../../support/an-execution.ts';
import { openTestDatabase } from '../../support/postgres.ts';

const start = Date.UTC(2026, 0, 1) * 1000;
const hour = 3_600_000_000;
const name = { account: 'default', instrument: 'external:123' };
const segments = 4_000;

test('a history of many segments neither carries their executions along nor writes to disk', async () => {
  await using database = await openTestDatabase();
  const run = ExecutionRun.of(Array.from({ length: 32 }, () => anExecution()));
  // A segment of 32 a minute, the last execution a second before the full one.
  await database.run((sql) =>
    sql.text(
      `insert into position_segment
       select $1, $2, '2026-01-01T00:00:59Z'::timestamptz + minute * interval '1 minute', 's',
         minute::text, '2026-01-01'::timestamptz + minute * interval '1 minute',
         case when minute > 0 then '2026-01-01T00:00:59Z'::timestamptz + (minute - 1) * interval '1 minute' end,
         32 * minute, minute, 0, 0, 0, 0, minute + 1, minute + 3, minute - 2, 5, $3
       from generate_series(0, $4 - 1) as minute`,
      [name.account, name.instrument, run.text().repeat(4), segments],
    ),
  );
  const edges = [start, start + 50 * hour, start + 200 * hour];
  const unit = 10n ** 18n;
  const store = new PostgresPositionStore(database);
  const pieces = await store.readHistory(name, edges, 9);
  expect(pieces.slice(0, 2)).toEqual([
    {
      type: 'within',
      quantity: 0n,
      bin: 0,
      endQuantity: 3_000n * unit,
      highQuantity: 3_002n * unit,
      lowQuantity: -2n * unit,
      volume: 15_000n * unit,
    },
    {
      type: 'within',
      quantity: 3_000n * unit,
      bin: 1,
      endQuantity: 4_000n * unit,
      highQuantity: 4_002n * unit,
      lowQuantity: 2_998n * unit,
      volume: 5_000n * unit,
    },
  ]);
  const [plan] = await database.run((sql) =>
    sql.text<{ 'QUERY PLAN': object }>(`explain (analyze, buffers, format json) ${selectHistory}`, [
      name.account,
      name.instrument,
      `{${edges.map((edge) => new Date(edge / 1000).toISOString()).join(',')}}`,
      9,
    ]),
  );
  const written = /"Temp Written Blocks": [1-9]/u;
  expect(JSON.stringify(plan, undefined, 1)).not.toMatch(written);
  expect(JSON.stringify(plan)).toContain('Temp Written Blocks');
});
