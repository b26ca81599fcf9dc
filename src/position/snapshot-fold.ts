import assert from 'node:assert/strict';
import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { compareExecutions } from '../domain/execution.ts';
import type { ExecutionKey } from '../domain/execution.ts';
import type { PositionName } from '../domain/position.ts';
import { Refusal } from '../domain/refusal.ts';
import type {
  KeyedRun,
  PositionSnapshot,
  PositionStore,
} from '../store/position/position-store.ts';
import { SegmentFold } from './segment-fold.ts';
import type { FoldedPosition } from './segment-fold.ts';
import { SegmentSaver } from './segment-saver.ts';

/**
 * How long a fold stays in one snapshot, while what it folds can be kept: then it is the turn of others,
 * and what a snapshot sees cannot be cleared away meanwhile. The next one goes on with what is kept.
 */
const usualMs = 3_000;

/**
 * How long it stays at most where late executions undo what it keeps, so that the next one would have
 * to begin anew: some 20 million executions.
 */
const longestMs = 60_000;

/** What is folded, and for whom. */
export type FoldQuestion = {
  readonly name: PositionName;
  /** Undefined: all executions. */
  readonly until: Micros | undefined;
  /** Whether to come to the end although something late undoes what is kept. */
  readonly isAnswerWanted: boolean;
  /** Told after each chunk how many executions it had. */
  readonly onProgress?: ((executions: number) => void) | undefined;
  /** Ends the fold after the chunk that it is at. */
  readonly signal?: AbortSignal | undefined;
};

export type FoldResult = {
  /** Undefined: it has not come to its end. */
  readonly folded: FoldedPosition | undefined;
  /** The end of its last segment. */
  readonly reached: ExecutionKey | undefined;
  /** Whether all segments up to there are kept. */
  readonly isKept: boolean;
};

/** The last chunk and the end of the transaction, behind that. */
const allowanceMs = 5_000;

const tooManyLate =
  'So many late executions come that the position cannot be told: try again later';

export type SnapshotFoldOptions = {
  readonly store: PositionStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Executions that are read at once: a multiple of a segment's. */
  readonly chunkLength: number;
};

/**
 * Folds from the last kept segment on in one snapshot, and keeps the segments. `before` is what the
 * snapshot before this one came to.
 * @throws Refusal (unavailable) when it would have to stay too long in one snapshot
 */
export async function foldInSnapshot(
  { store, clock, logger, chunkLength: wanted }: SnapshotFoldOptions,
  { name, until, isAnswerWanted, onProgress, signal }: FoldQuestion,
  before: FoldResult | undefined,
): Promise<FoldResult> {
  const startMs = clock.monotonicMs();
  const work = async (snapshot: PositionSnapshot): Promise<FoldResult> => {
    const seenThrough = await snapshot.lastChange(name);
    const tail = await snapshot.readTail(name, { until, wanted });
    const fold = new SegmentFold(store.segmentLength, tail.segment);
    const isUndone = isShortOf(fold.end, before?.reached);
    const saver = new SegmentSaver(
      (base, segments) => store.saveSegments(name, base, seenThrough, segments),
      logger,
    );
    for (let chunk: KeyedRun = tail; ;) {
      const base = fold.end;
      const isLast = chunk.executions.length < wanted;
      // The database reads the next chunk while this one is folded.
      const next = isLast
        ? undefined
        : snapshot.readAfter(name, lastKeyOf(chunk), { until, wanted });
      next?.catch(() => {});
      const segments = fold.apply(chunk);
      onProgress?.(chunk.executions.length);
      await saver.add(base, segments);
      // What is undone would be undone again in the next snapshot.
      const mustEnd = isAnswerWanted && (isUndone || saver.isBroken);
      const isTimeUp = clock.monotonicMs() - startMs >= (mustEnd ? longestMs : usualMs);
      const isInVain = signal?.aborted === true || (saver.isBroken && !isAnswerWanted);
      if (next === undefined || isTimeUp || isInVain) {
        const isKept = await saver.end();
        await next;
        if (isLast) return { folded: fold.folded, reached: fold.end, isKept };
        if (mustEnd && !isInVain) throw new Refusal('unavailable', tooManyLate);
        return { folded: undefined, reached: fold.end, isKept };
      }
      chunk = await next;
    }
  };
  return await store.snapshot(work, { longestMs: longestMs + allowanceMs });
}

/** Whether a fold begins before where the one before it came to: something late has undone it. */
function isShortOf(end: ExecutionKey | undefined, reached: ExecutionKey | undefined): boolean {
  if (reached === undefined) return false;
  return end === undefined || compareExecutions(end, reached) < 0;
}

function lastKeyOf({ executions, sources, sourceIds }: KeyedRun): ExecutionKey {
  const [source, sourceId] = [sources.at(-1), sourceIds.at(-1)];
  assert(source !== undefined && sourceId !== undefined, 'Each execution has a key');
  return { executedTime: executions.timeAt(executions.length - 1), source, sourceId };
}
