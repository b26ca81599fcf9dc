import type { Timeframe } from '../../domain/timeframe.ts';
import type { Database } from '../database.ts';

/**
 * Says how wide the rows of the view "AggregatedData" are, from now on and for all that is stored.
 * @throws what Postgres says in an outage; then saying it again is right
 */
export async function setAggregatorWindow(database: Database, width: Timeframe): Promise<void> {
  await database.run(
    (sql) => sql`update aggregator_window set width = ${width} where width <> ${width}`,
  );
}
