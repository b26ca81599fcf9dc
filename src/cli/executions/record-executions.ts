import { Code, ConnectError } from '@connectrpc/connect';
import type { RecordResult } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { RecordOutcome } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { backoffDelayMs } from '../../base/backoff.ts';
import { sleep } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import type { PositionClient } from '../../rpc/client.ts';
import type { ExecutionSource, NewExecution, SourceRow } from './execution-source.ts';

/** What a batch may hold: below the server's 5,000 rows and 1 MiB. */
const mostRows = 5_000;
const mostBytes = 900 * 1024;
/** Batches under way at once: one is written while the next ones travel. */
const mostInFlight = 4;
/** A batch is a transaction: beyond this the server is not well. */
const batchTimeoutMs = 30_000;
const backoff = { minimumMs: 250, maximumMs: 5_000 };

export type RecordOptions = {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long a server that does not answer is waited for, in milliseconds. */
  readonly patienceMs: number;
  /** Rows of the source that were dealt with before. */
  readonly skip: number;
  /** All rows up to this one are dealt with. */
  readonly onProgress: (rows: number, counts: RecordCounts) => void;
  readonly onRefused: (row: SourceRow, reason: string) => void;
  /** A batch could not be recorded, and is tried again. */
  readonly onOutage: (error: ConnectError) => void;
};

export type RecordCounts = { recorded: number; duplicates: number; refused: number };

type Batch = { readonly source: string; readonly rows: readonly BatchRow[]; readonly end: number };
type BatchRow = SourceRow & { readonly execution: NewExecution };

/**
 * Records what a source tells, batch by batch, several under way at once; a batch that fails for an
 * outage is sent again, as that changes nothing. What is refused is told, and goes on with the rest.
 * @throws ConnectError when the server refuses a batch as such, or is away for too long; the signal's
 * reason
 */
export async function recordExecutions(
  client: PositionClient,
  source: ExecutionSource,
  options: RecordOptions,
): Promise<RecordCounts> {
  const counts: RecordCounts = { recorded: 0, duplicates: 0, refused: 0 };
  const inFlight: Promise<void>[] = [];
  let settled: Promise<void> = Promise.resolve();
  /** In the order of the rows: progress never says more than is done. */
  const settle = async (
    batch: Batch,
    sent: Promise<readonly RecordResult[]>,
    before: Promise<void>,
  ) => {
    const [results] = await Promise.all([sent, before]);
    for (const [index, result] of results.entries()) {
      const row = batch.rows[index];
      if (row !== undefined) count(counts, row, result, options);
    }
    options.onProgress(batch.end, counts);
  };
  for await (const batch of batches(source, counts, options)) {
    options.signal.throwIfAborted();
    settled = settle(batch, sendBatch(client, batch, options), settled);
    // It is waited for below, by then perhaps as one of several that failed.
    settled.catch(() => {});
    inFlight.push(settled);
    if (inFlight.length >= mostInFlight) await inFlight.shift();
  }
  await settled;
  return counts;
}

function count(
  counts: RecordCounts,
  row: SourceRow,
  { outcome, reason }: RecordResult,
  { onRefused }: RecordOptions,
): void {
  if (outcome === RecordOutcome.RECORDED) counts.recorded++;
  else if (outcome === RecordOutcome.DUPLICATE) counts.duplicates++;
  else {
    counts.refused++;
    onRefused(row, reason);
  }
}

async function* batches(
  source: ExecutionSource,
  counts: RecordCounts,
  { skip, onRefused }: RecordOptions,
): AsyncGenerator<Batch> {
  let rows: BatchRow[] = [];
  let name = '';
  let bytes = 0;
  let end = 0;
  const take = (): Batch => {
    const batch = { source: name, rows, end };
    rows = [];
    bytes = 0;
    return batch;
  };
  for await (const some of source.rows()) {
    for (const row of some) {
      if (end++ < skip) continue;
      if ('problem' in row) {
        counts.refused++;
        onRefused(row, row.problem);
        continue;
      }
      const size = sizeOf(row.execution);
      if (
        rows.length > 0 &&
        (row.source !== name || rows.length === mostRows || bytes + size > mostBytes)
      ) {
        yield { ...take(), end: end - 1 };
      }
      name = row.source;
      rows.push(row);
      bytes += size;
    }
  }
  if (rows.length > 0) yield take();
}

/** At least what it takes on the wire, where each field has a tag and a length. */
function sizeOf({ executedTime: _time, ...texts }: NewExecution): number {
  return Object.values(texts).reduce((sum, text) => sum + Buffer.byteLength(text) + 3, 24);
}

async function sendBatch(
  client: PositionClient,
  { source, rows }: Batch,
  { clock, signal, patienceMs, onOutage }: RecordOptions,
): Promise<readonly RecordResult[]> {
  const deadlineMs = clock.monotonicMs() + patienceMs;
  for (let attempt = 0; ; attempt++) {
    try {
      const executions = rows.map(({ execution }) => execution);
      const options = { signal, timeoutMs: batchTimeoutMs };
      return (await client.recordExecutions({ source, executions }, options)).results;
    } catch (error) {
      const trouble = ConnectError.from(error);
      const isOutage = [Code.Unavailable, Code.DeadlineExceeded].includes(trouble.code);
      if (!isOutage || clock.monotonicMs() > deadlineMs) throw error;
      onOutage(trouble);
      await sleep(clock, backoffDelayMs(attempt, backoff), signal);
    }
  }
}
