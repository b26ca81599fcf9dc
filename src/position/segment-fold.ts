import type { Micros } from '../base/clock.ts';
import type { ExecutionKey } from '../domain/execution.ts';
import type { PositionState } from '../domain/position.ts';
import type {
  KeyedRun,
  PositionPart,
  PositionSegment,
  PositionTail,
} from '../store/position/position-store.ts';
import { PositionFold } from './position-fold.ts';

/** A position, and when its last execution happened. */
export type FoldedPosition = {
  readonly state: PositionState;
  readonly lastExecutedTime: Micros | undefined;
};

/** The position after those executions of a part that happened by then; undefined: after all. */
export function foldPart(part: PositionPart, at: Micros | undefined): FoldedPosition {
  const fold = new PositionFold(part.before);
  const { executions } = part;
  const cursor = executions.read();
  let lastExecutedTime = part.previousTime;
  for (let index = 0; index < executions.length; index++) {
    const time = executions.timeAt(index);
    if (at !== undefined && time > at) break;
    cursor.next();
    fold.apply(cursor.quantity, cursor.price, cursor.fee);
    lastExecutedTime = time;
  }
  return { state: fold.state(), lastExecutedTime };
}

/** Folds executions from the last kept segment on, and cuts them into further segments. */
export class SegmentFold {
  readonly #segmentLength: number;
  readonly #fold: PositionFold;
  #lastExecutedTime: Micros | undefined;
  #end: ExecutionKey | undefined;

  constructor(segmentLength: number, segment: PositionTail['segment']) {
    this.#segmentLength = segmentLength;
    const last = segment && foldPart(segment, undefined);
    this.#fold = new PositionFold(last?.state);
    this.#lastExecutedTime = last?.lastExecutedTime;
    this.#end = segment?.key;
  }

  /** The key of the last execution of the last segment so far. */
  get end(): ExecutionKey | undefined {
    return this.#end;
  }

  get folded(): FoldedPosition {
    return { state: this.#fold.state(), lastExecutedTime: this.#lastExecutedTime };
  }

  /** Goes on with the executions that follow; all but the last ones must end with a segment. */
  apply({ executions, sources, sourceIds }: KeyedRun): PositionSegment[] {
    const segments: PositionSegment[] = [];
    const { length } = executions;
    const cursor = executions.read();
    for (let start = 0; start < length; start += this.#segmentLength) {
      const end = start + this.#segmentLength;
      const before = this.#fold.state();
      const previousTime = this.#lastExecutedTime;
      let high: bigint | undefined;
      let low: bigint | undefined;
      for (let index = start; index < end && index < length; index++) {
        cursor.next();
        this.#fold.apply(cursor.quantity, cursor.price, cursor.fee);
        const { quantity } = this.#fold;
        if (high === undefined || quantity > high) high = quantity;
        if (low === undefined || quantity < low) low = quantity;
      }
      this.#lastExecutedTime = executions.timeAt(Math.min(end, length) - 1);
      if (end > length) break;
      const [source = '', sourceId = ''] = [sources[end - 1], sourceIds[end - 1]];
      this.#end = { executedTime: this.#lastExecutedTime, source, sourceId };
      segments.push({
        key: this.#end,
        before,
        previousTime,
        executions: cursor.cut(),
        endQuantity: this.#fold.quantity,
        highQuantity: high ?? this.#fold.quantity,
        lowQuantity: low ?? this.#fold.quantity,
        volume: this.#fold.tradedVolume - before.tradedVolume,
      });
    }
    return segments;
  }
}
