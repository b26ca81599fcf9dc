import type { Registry } from '../base/metrics.ts';
import { readCounter, readGauge } from '../base/metrics.ts';

/** What a persistor has done so far: plain fields, read when somebody asks for the metrics. */
export class PersistorCounts {
  written = 0;
  superseded = 0;
  expired = 0;
  refused = 0;
  batches = 0;
  streamFailures = 0;
  databaseFailures = 0;
  cursorsTooOld = 0;
  /** Whether the last thing heard of the server and of the database was no failure. */
  isFollowing = false;
  isStoring = false;
  /** From the end of the newest candle of the last batch to its commit, in seconds. */
  lagSeconds = 0;
}

export function registerPersistorMetrics(
  registry: Registry,
  counts: PersistorCounts,
  uncommittedRows: () => number,
): void {
  readCounter(registry, {
    name: 'tradewind_persistor_candles_total',
    help: 'Versions of candles received, by what became of them',
    labelNames: ['result'],
    read: () => [
      [{ result: 'written' }, counts.written],
      [{ result: 'superseded' }, counts.superseded],
      [{ result: 'expired' }, counts.expired],
      [{ result: 'refused' }, counts.refused],
    ],
  });
  readCounter(registry, {
    name: 'tradewind_persistor_batches_total',
    help: 'Batches committed',
    read: () => counts.batches,
  });
  readCounter(registry, {
    name: 'tradewind_persistor_failures_total',
    help: 'Failed attempts, by what failed',
    labelNames: ['of'],
    read: () => [
      [{ of: 'stream' }, counts.streamFailures],
      [{ of: 'database' }, counts.databaseFailures],
      [{ of: 'cursor' }, counts.cursorsTooOld],
    ],
  });
  readGauge(registry, {
    name: 'tradewind_persistor_uncommitted_rows',
    help: 'Rows received and not committed',
    read: uncommittedRows,
  });
  readGauge(registry, {
    name: 'tradewind_persistor_lag_seconds',
    help: 'From the end of the newest candle of the last batch to its commit',
    read: () => counts.lagSeconds,
  });
}
