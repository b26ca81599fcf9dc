import type { Execution } from '../../src/domain/execution.ts';
import { orderSource } from '../../src/domain/execution.ts';
import type { Database } from '../../src/store/database.ts';
import { executionColumns } from '../../src/store/position/execution-row.ts';

/** Books a fill of ours as the order log does, and answers when. */
export async function recordFill(database: Database, fill: Execution): Promise<number> {
  const columns = executionColumns([{ ...fill, source: orderSource }]);
  return await database.run(async (sql) => {
    await sql.text('select * from record_executions($1, $2, $3, $4, $5, $6, $7, $8, $9)', columns);
    const [row] = await sql<{ executed_time: number }>`
      select executed_time from execution
      where account = ${fill.account} and source = ${orderSource} and source_id = ${fill.sourceId}`;
    return row?.executed_time ?? Number.NaN;
  });
}
