import { sleep } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import { setAggregatorWindow } from '../store/candle/aggregator-window.ts';
import type { Database } from '../store/database.ts';

/** The database may come later than the persistor, and its migrations later still. */
const retryMs = 5_000;

/** Tells the database how wide the rows of "AggregatedData" are, as soon as it can be told. */
export function setWindow(
  database: Database,
  width: Timeframe,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Disposable {
  const stopping = new AbortController();
  const run = async () => {
    while (!stopping.signal.aborted) {
      try {
        await setAggregatorWindow(database, width);
        return;
      } catch (error) {
        logger.debug({ err: error, width }, 'The width of AggregatedData cannot be set yet');
      }
      await sleep(clock, retryMs, stopping.signal).catch(() => {});
    }
  };
  void run();
  return { [Symbol.dispose]: () => stopping.abort() };
}
