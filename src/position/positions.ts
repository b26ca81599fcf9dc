import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { PositionStore } from '../store/position/position-store.ts';
import { PositionBuilder } from './position-builder.ts';
import { PositionReader } from './position-reader.ts';
import { rebuildPositions } from './rebuild.ts';
import type { RebuildProgress, RebuildScope } from './rebuild.ts';
import { SegmentKeeper } from './segment-keeper.ts';

export type PositionsOptions = {
  readonly store: PositionStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Executions that are read at once. */
  readonly chunkLength?: number;
  /** Executions behind the segments that are folded for an answer. */
  readonly maximumTail?: number;
};

/** Everything that positions are asked and told, over one store. */
export class Positions {
  readonly reader: PositionReader;
  readonly builder: PositionBuilder;
  readonly #options: PositionsOptions;

  constructor(options: PositionsOptions) {
    this.#options = options;
    this.builder = new PositionBuilder(options);
    this.reader = new PositionReader({ ...options, builder: this.builder });
  }

  /** As `rebuildPositions`. */
  rebuild(
    scope: RebuildScope,
    onProgress?: (progress: RebuildProgress) => void,
    signal?: AbortSignal,
  ): Promise<Omit<RebuildProgress, 'name'>> {
    const { store } = this.#options;
    return rebuildPositions({ store, builder: this.builder }, scope, onProgress, signal);
  }

  /** Keeps up with what is recorded, in the background, until what it answers is disposed. */
  keepUp(): AsyncDisposable {
    return new SegmentKeeper({ ...this.#options, builder: this.builder });
  }
}
