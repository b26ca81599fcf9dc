import type { Logger } from '../base/logger.ts';
import type { ExecutionKey } from '../domain/execution.ts';
import type { PositionSegment } from '../store/position/position-store.ts';

/** Answers whether they are kept. */
export type SaveSegments = (
  base: ExecutionKey | undefined,
  segments: readonly PositionSegment[],
) => Promise<boolean>;

/**
 * Keeps segments one batch after the other, while the next ones are folded: one batch under way, one
 * waiting. That some are not kept is no harm to the fold, but those that follow stand on them.
 */
export class SegmentSaver {
  readonly #save: SaveSegments;
  readonly #logger: Logger;
  #underWay: Promise<unknown> = Promise.resolve();
  #last: Promise<unknown> = Promise.resolve();
  #isBroken = false;

  constructor(save: SaveSegments, logger: Logger) {
    this.#save = save;
    this.#logger = logger;
  }

  /** Whether some were not kept: then nothing more is. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Takes the segments that follow on `base`, as soon as at most one batch is before them. */
  async add(base: ExecutionKey | undefined, segments: readonly PositionSegment[]): Promise<void> {
    await this.#underWay;
    this.#underWay = this.#last;
    this.#last = this.#underWay.then(() => this.#keep(base, segments));
  }

  /** Answers whether all are kept, when that is known. */
  async end(): Promise<boolean> {
    await this.#last;
    return !this.#isBroken;
  }

  async #keep(base: ExecutionKey | undefined, segments: readonly PositionSegment[]): Promise<void> {
    if (this.#isBroken || segments.length === 0) return;
    try {
      if (!(await this.#save(base, segments))) this.#isBroken = true;
    } catch (error) {
      this.#isBroken = true;
      this.#logger.debug({ err: error }, 'A part of a position was not kept');
    }
  }
}
