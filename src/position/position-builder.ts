import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { PositionName } from '../domain/position.ts';
import { Refusal } from '../domain/refusal.ts';
import type { PositionStore } from '../store/position/position-store.ts';
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

/** A fold that waits for its turn, for all who ask the same meanwhile. */
type SharedBuild = {
  readonly folded: Promise<FoldedPosition>;
  /** Aborted when the last of them has left. */
  readonly left: AbortController;
  askers: number;
};

/**
 * Folds executions that are not kept in segments yet, and keeps them. One fold at a time: it uses the
 * processor, of which others need the rest, and two connections.
 */
export class PositionBuilder {
  readonly #options: SnapshotFoldOptions;
  #lastTurn: Promise<unknown> = Promise.resolve();
  readonly #shared = new Map<string, SharedBuild>();
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
   * the snapshot that it is in then: the answer is that of before. Who asks the same while it waits for
   * its turn gets the same answer.
   * @throws Refusal (unavailable) when too many wait, or it takes too long; the signal's reason
   */
  async build(
    name: PositionName,
    until: Micros | undefined,
    options: BuildOptions = {},
  ): Promise<FoldedPosition> {
    const { onProgress, signal } = options;
    signal?.throwIfAborted();
    if (onProgress !== undefined) return await this.#build(name, until, options);
    const key = [name.account, name.instrument, until].join('\0');
    const shared = this.#shared.get(key) ?? this.#share(key, name, until);
    shared.askers++;
    try {
      return await unlessAborted(shared.folded, signal);
    } finally {
      if (--shared.askers === 0) {
        shared.left.abort();
        this.#unshare(key, shared.left);
      }
    }
  }

  #share(key: string, name: PositionName, until: Micros | undefined): SharedBuild {
    const left = new AbortController();
    const { signal } = left;
    // What has begun may not see what the next to ask has recorded.
    const folded = this.#build(name, until, { signal }, () => this.#unshare(key, left));
    const shared = { folded, left, askers: 0 };
    this.#shared.set(key, shared);
    return shared;
  }

  #unshare(key: string, left: AbortController): void {
    if (this.#shared.get(key)?.left === left) this.#shared.delete(key);
  }

  #build(
    name: PositionName,
    until: Micros | undefined,
    options: BuildOptions,
    onBegin?: () => void,
  ): Promise<FoldedPosition> {
    const question = { ...options, name, until, isAnswerWanted: true };
    return this.#inPlace(async () => {
      let result: FoldResult | undefined;
      for (;;) {
        result = await this.#turn(question, result, onBegin);
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
  async #turn(
    question: FoldQuestion,
    before: FoldResult | undefined,
    onBegin?: () => void,
  ): Promise<FoldResult> {
    const { signal } = question;
    signal?.throwIfAborted();
    const turn = this.#lastTurn.then(() => {
      onBegin?.();
      signal?.throwIfAborted();
      return foldInSnapshot(this.#options, question, before);
    });
    this.#lastTurn = turn.catch(() => {});
    // Who leaves while it waits gives its place up at once.
    return await unlessAborted(turn, signal);
  }
}

/** @throws the signal's reason when it is aborted before there is a result */
async function unlessAborted<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await result;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
