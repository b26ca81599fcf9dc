import { choiceField, integerField, optional, symbolField } from '../control-fields.ts';
import type { Frame } from '../frame.ts';
import type { Random } from '../random.ts';
import { streamKinds } from '../stream.ts';
import type { StreamKind } from '../stream.ts';

/** The fields of every fault of the streams. */
export const filterFields = {
  symbol: optional(symbolField),
  stream: optional(choiceField(streamKinds)),
  oneIn: optional(integerField(1, 1_000_000)),
};

export type FilterValues = {
  readonly symbol?: string | undefined;
  readonly stream?: StreamKind | undefined;
  readonly oneIn?: number | undefined;
};

/** Which frames a fault is about: of one symbol or all, of one kind or all, all or one in so many. */
export class FrameFilter {
  readonly values: FilterValues;
  readonly #random: Random;

  constructor({ symbol, stream, oneIn }: FilterValues, random: Random) {
    this.values = { symbol, stream, oneIn };
    this.#random = random;
  }

  /** Asks chance about each frame once; a frame that is asked about twice may get two answers. */
  takes(frame: Frame): boolean {
    return this.concerns(frame) && this.isDrawn();
  }

  /** The same without chance. */
  concerns(frame: Frame): boolean {
    const { symbol, stream } = this.values;
    return (
      (symbol === undefined || symbol === frame.symbol) &&
      (stream === undefined || stream === frame.kind)
    );
  }

  isDrawn(): boolean {
    const { oneIn = 1 } = this.values;
    return oneIn === 1 || this.#random.integer(1, oneIn) === 1;
  }
}
