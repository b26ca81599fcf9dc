import assert from 'node:assert/strict';
import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { ExecutionKey } from '../domain/execution.ts';
import type { PositionName } from '../domain/position.ts';
import { Refusal } from '../domain/refusal.ts';
import type { KeyedRun, PositionSegment, PositionStore } from '../store/position-store.ts';
import { SegmentFold } from './segment-fold.ts';
import type { FoldedPosition } from './segment-fold.ts';

/** Folding this many takes some 10 ms, for which nothing else runs in this process. */
const defaultChunkLength = 8_192;

/**
 * How long a fold stays in one snapshot: less than the 5 s for which the database may stay silent, and
 * what a snapshot sees cannot be cleared away meanwhile. What is kept by then, the next one goes on with.
 */
const snapshotMs = 3_000;

/** Snapshots without a further segment kept, because something late came each time. */
const maximumFruitless = 3;

/** Folds under way or waiting for their turn; a further one is refused. */
const maximumWaiting = 64;

export type PositionBuilderOptions = {
  readonly store: PositionStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Executions that are read at once. */
  readonly chunkLength?: number;
};

/** Told after each chunk. */
export type BuildProgress = (executions: number) => void;

/**
 * Folds executions that are not kept in segments yet, and keeps them. One fold at a time: it uses the
 * processor, of which others need the rest, and two connections.
 */
export class PositionBuilder {
  readonly #store: PositionStore;
  readonly #chunkLength: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: PositionBuilderOptions) {
    const { store, clock, logger, chunkLength = defaultChunkLength } = options;
    this.#store = store;
    // A chunk ends with a segment, so that the next one begins with one.
    this.#chunkLength = Math.ceil(chunkLength / store.segmentLength) * store.segmentLength;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * Answers a position after its executions up to and with a time (undefined: all) and keeps all whole
   * segments of them, unless something late comes meanwhile: then the answer is that of before.
   * @throws Refusal (unavailable) when too many wait, or late executions let no fold come to its end
   */
  async build(
    name: PositionName,
    until: Micros | undefined,
    onProgress: BuildProgress = () => {},
  ): Promise<FoldedPosition> {
    if (this.#waiting >= maximumWaiting) {
      throw new Refusal('unavailable', 'Too many positions are being rebuilt: try again later');
    }
    this.#waiting++;
    try {
      for (let fruitless = 0; fruitless < maximumFruitless;) {
        // A turn is one snapshot, so that a long fold does not keep a short one waiting.
        const turn = this.#lastTurn.then(() => this.#buildInSnapshot(name, until, onProgress));
        this.#lastTurn = turn.catch(() => {});
        const { folded, kept } = await turn;
        if (folded !== undefined) return folded;
        fruitless = kept > 0 ? 0 : fruitless + 1;
      }
    } finally {
      this.#waiting--;
    }
    throw new Refusal(
      'unavailable',
      'So many late executions come that the position cannot be told: try again later',
    );
  }

  async #buildInSnapshot(
    name: PositionName,
    until: Micros | undefined,
    onProgress: BuildProgress,
  ): Promise<{ readonly folded: FoldedPosition | undefined; readonly kept: number }> {
    const endMs = this.#clock.monotonicMs() + snapshotMs;
    const wanted = this.#chunkLength;
    return await this.#store.snapshot(async (snapshot) => {
      const seenThrough = await snapshot.lastChange(name);
      const tail = await snapshot.readTail(name, { until, wanted });
      const fold = new SegmentFold(this.#store.segmentLength, tail.segment);
      let saving = Promise.resolve(true);
      let kept = 0;
      for (let chunk: KeyedRun = tail; ;) {
        const { length } = chunk.executions;
        const base = fold.end;
        // The database reads the next chunk while this one is folded.
        const next =
          length < wanted
            ? undefined
            : snapshot.readAfter(name, lastKeyOf(chunk), { until, wanted });
        next?.catch(() => {});
        const segments = fold.apply(chunk);
        onProgress(length);
        // The next segments stand on those before them.
        if (await saving) saving = this.#save(name, base, seenThrough, segments);
        kept += segments.length;
        const isTimeUp = this.#clock.monotonicMs() >= endMs;
        if (next === undefined || isTimeUp) {
          const isKept = await saving;
          await next;
          return { folded: next === undefined ? fold.folded : undefined, kept: isKept ? kept : 0 };
        }
        chunk = await next;
      }
    });
  }

  /** Answers whether they are kept. That they are not is no harm: the next one folds them again. */
  async #save(
    name: PositionName,
    base: ExecutionKey | undefined,
    seenThrough: number,
    segments: readonly PositionSegment[],
  ): Promise<boolean> {
    if (segments.length === 0) return true;
    try {
      return await this.#store.saveSegments(name, base, seenThrough, segments);
    } catch (error) {
      this.#logger.debug({ ...name, err: error }, 'A part of a position was not kept');
      return false;
    }
  }
}

function lastKeyOf({ executions, sources, sourceIds }: KeyedRun): ExecutionKey {
  const [source, sourceId] = [sources.at(-1), sourceIds.at(-1)];
  assert(source !== undefined && sourceId !== undefined, 'Each execution has a key');
  return { executedTime: executions.timeAt(executions.length - 1), source, sourceId };
}
