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
  /** All rows up to this one are dealt with, and told where they were refused. It is waited for. */
  readonly onProgress: (rows: number, counts: RecordCounts) => Promise<void> | void;
  /** In the order of the rows. */
  readonly onRefused: (row: SourceRow, reason: string) => void;
  /** A batch could not be recorded, and is tried again. */
  readonly onOutage: (error: ConnectError) => void;
};

export type RecordCounts = { recorded: number; duplicates: number; refused: number };

/** `end` is how many rows of the source lie up to its end; what cannot be read is told in its place. */
type Batch = { readonly source: string; readonly rows: readonly SourceRow[]; readonly end: number };
type Outcome = Pick<RecordResult, 'outcome' | 'reason'>;

/**
 * Records what a source tells, batch by batch, several under way at once; a batch that fails for an
 * outage is sent again, as that changes nothing. What is refused is told, and goes on with the rest.
 * @throws ConnectError when the server is away for too long; what `onProgress` throws; the signal's
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
  const settle = async (batch: Batch, sent: Promise<readonly Outcome[]>, before: Promise<void>) => {
    const [outcomes] = await Promise.all([sent, before]);
    const answered = outcomes.values();
    for (const row of batch.rows) {
      const outcome = 'problem' in row ? refusal(row.problem) : answered.next().value;
      if (outcome !== undefined) count(counts, row, outcome, options);
    }
    await options.onProgress(batch.end, counts);
  };
  for await (const batch of batches(source, options.skip)) {
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
  { outcome, reason }: Outcome,
  { onRefused }: RecordOptions,
): void {
  if (outcome === RecordOutcome.RECORDED) counts.recorded++;
  else if (outcome === RecordOutcome.DUPLICATE) counts.duplicates++;
  else {
    counts.refused++;
    onRefused(row, reason);
  }
}

function refusal(reason: string): Outcome {
  return { outcome: RecordOutcome.REFUSED, reason };
}

async function* batches(source: ExecutionSource, skip: number): AsyncGenerator<Batch> {
  let rows: SourceRow[] = [];
  /** Of the rows that can be read; undefined: none of them can. */
  let name: string | undefined;
  let bytes = 0;
  let end = 0;
  const take = (): Batch => {
    const batch = { source: name ?? '', rows, end };
    rows = [];
    name = undefined;
    bytes = 0;
    return batch;
  };
  for await (const some of source.rows()) {
    for (const row of some) {
      if (end < skip) {
        end++;
        continue;
      }
      const size = sizeOf(row);
      const isOther = 'execution' in row && name !== undefined && row.source !== name;
      if (isOther || rows.length === mostRows || (rows.length > 0 && bytes + size > mostBytes)) {
        yield take();
      }
      if ('execution' in row) name = row.source;
      rows.push(row);
      bytes += size;
      end++;
    }
  }
  if (rows.length > 0) yield take();
}

/** At least what it takes on the wire, where each field has a tag and a length; else what is kept of it. */
function sizeOf(row: SourceRow): number {
  if ('problem' in row) return Buffer.byteLength(row.text);
  const { executedTime: _time, ...texts } = row.execution;
  return Object.values(texts).reduce((sum, text) => sum + Buffer.byteLength(text) + 3, 24);
}

async function sendBatch(
  client: PositionClient,
  { source, rows }: Batch,
  { clock, signal, patienceMs, onOutage }: RecordOptions,
): Promise<readonly Outcome[]> {
  const executions = rows.flatMap((row): NewExecution[] =>
    'execution' in row ? [row.execution] : [],
  );
  if (executions.length === 0) return [];
  const deadlineMs = clock.monotonicMs() + patienceMs;
  for (let attempt = 0; ; attempt++) {
    try {
      const options = { signal, timeoutMs: batchTimeoutMs };
      return (await client.recordExecutions({ source, executions }, options)).results;
    } catch (error) {
      const trouble = ConnectError.from(error);
      // What is wrong with a batch as such is what its rows have in common: their source.
      if (trouble.code === Code.InvalidArgument) {
        return executions.map(() => refusal(trouble.rawMessage));
      }
      const isOutage = [Code.Unavailable, Code.DeadlineExceeded].includes(trouble.code);
      if (!isOutage || clock.monotonicMs() > deadlineMs) throw error;
      onOutage(trouble);
      await sleep(clock, backoffDelayMs(attempt, backoff), signal);
    }
  }
}
