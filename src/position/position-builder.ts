import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { PositionName } from '../domain/position.ts';
import { Refusal } from '../domain/refusal.ts';
import type { PositionStore } from '../store/position-store.ts';
import type { FoldedPosition } from './segment-fold.ts';
import { foldInSnapshot } from './snapshot-fold.ts';
import type { FoldQuestion, FoldResult, SnapshotFoldOptions } from './snapshot-fold.ts';

/** Folding this many takes some 10 ms, for which nothing else runs in this process. */
const defaultChunkLength = 8_192;

/** Folds under way or waiting for their turn; a further one is refused. */
const maximumWaiting = 64;

export type PositionBuilderOptions = {
  readonly store: PositionStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Executions that are read at once. */
  readonly chunkLength?: number;
};

export type BuildOptions = Pick<FoldQuestion, 'onProgress' | 'signal'>;

/**
 * Folds executions that are not kept in segments yet, and keeps them. One fold at a time: it uses the
 * processor, of which others need the rest, and two connections.
 */
export class PositionBuilder {
  readonly #options: SnapshotFoldOptions;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor({ chunkLength = defaultChunkLength, ...options }: PositionBuilderOptions) {
    const { segmentLength } = options.store;
    // A chunk ends with a segment, so that the next one begins with one.
    this.#options = {
      ...options,
      chunkLength: Math.ceil(chunkLength / segmentLength) * segmentLength,
    };
  }

  /**
   * Answers a position after its executions up to and with a time (undefined: all) and keeps all whole
   * segments of them. Where something late undoes what it keeps, it comes to its end all the same, in
   * the snapshot that it is in then: the answer is that of before.
   * @throws Refusal (unavailable) when too many wait, or it takes too long; the signal's reason
   */
  build(
    name: PositionName,
    until: Micros | undefined,
    options: BuildOptions = {},
  ): Promise<FoldedPosition> {
    const question = { ...options, name, until, isAnswerWanted: true };
    return this.#inPlace(async () => {
      let result: FoldResult | undefined;
      for (;;) {
        result = await this.#turn(question, result);
        options.signal?.throwIfAborted();
        if (result.folded !== undefined) return result.folded;
      }
    });
  }

  /**
   * Keeps all whole segments of a position, or those before what comes late meanwhile.
   * @throws Refusal (unavailable) when too many wait; the signal's reason
   */
  keep(name: PositionName, signal?: AbortSignal): Promise<void> {
    const question = { name, until: undefined, signal, isAnswerWanted: false };
    return this.#inPlace(async () => {
      let result: FoldResult | undefined;
      do {
        result = await this.#turn(question, result);
        signal?.throwIfAborted();
      } while (result.folded === undefined && result.isKept);
    });
  }

  async #inPlace<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= maximumWaiting) {
      throw new Refusal('unavailable', 'Too many positions are being rebuilt: try again later');
    }
    this.#waiting++;
    try {
      return await work();
    } finally {
      this.#waiting--;
    }
  }

  /** A turn is one snapshot, so that a long fold does not keep a short one waiting. */
  async #turn(question: FoldQuestion, before: FoldResult | undefined): Promise<FoldResult> {
    const { signal } = question;
    signal?.throwIfAborted();
    const turn = this.#lastTurn.then(() => {
      signal?.throwIfAborted();
      return foldInSnapshot(this.#options, question, before);
    });
    this.#lastTurn = turn.catch(() => {});
    if (signal === undefined) return await turn;
    // Who leaves while it waits gives its place up at once.
    const { promise: left, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([turn, left]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
