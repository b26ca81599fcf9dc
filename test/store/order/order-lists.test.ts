import { expect, test } from 'vitest';
import type { Database, Sql } from '../../../src/store/database.ts';
import { OrderReader } from '../../../src/store/order/order-reader.ts';
import type { OrderQuery } from '../../../src/store/order/order-reader.ts';
import { noon } from '../../support/builders.ts';
import { openTestDatabase } from '../../support/postgres.ts';

const page = { account: 'long', limit: 100, splits: 0 } as const;
const after = { acceptedTime: noon, orderId: 'order' };

/** How Postgres would answer, in place of the answer. */
async function planOf(database: Database, query: OrderQuery): Promise<string> {
  const lines: string[] = [];
  const explaining: Pick<Database, 'run'> = {
    run: (work) =>
      database.run((sql) => {
        const ask: Sql['text'] = sql.text.bind(sql);
        const text: Sql['text'] = async (statement, values) => {
          const rows = await ask<{ 'QUERY PLAN': string }>(`explain ${statement}`, values);
          lines.push(...rows.map((row) => row['QUERY PLAN']));
          return [];
        };
        return work(Object.assign(sql, { text }));
      }),
  };
  await new OrderReader({ ...database, ...explaining }).list(query);
  return lines.join('\n');
}

test('a page of orders is read by an index, however many orders the account has', async () => {
  await using database = await openTestDatabase();
  await database.run(
    (sql) => sql`
      insert into orders (order_id, account, instrument, shard, side, quantity, limit_price,
        time_in_force, accepted_time, updated_time, version, status, cancel_reason)
      select 'order-' || n, 'long', case when n % 5000 = 0 then 'binance:B' else 'binance:A' end, 0,
        'sell', 1, 1, 'GTC', at, at, 2, 'canceled', 'requested'
      from generate_series(1, 20000) as n, lateral (select now() + n * interval '1 s') as time (at)`,
  );
  await database.run((sql) => sql`analyze orders`);
  const queries: readonly OrderQuery[] = [
    page,
    { ...page, after },
    { ...page, instrument: 'binance:B' },
    { ...page, instrument: 'binance:B', after },
  ];
  for (const query of queries) {
    const plan = await planOf(database, query);
    expect(plan).toContain('Index Scan Backward using orders_account');
    // Nothing is read and left out, and nothing sorted.
    expect(plan).not.toMatch(/Filter|Sort/u);
  }
});
