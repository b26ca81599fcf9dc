import { JoinedFrames } from './joined-frames.ts';

/** A reader that has something to write. */
export type Flushable = { flush(joined: JoinedFrames): void };

/**
 * Writes to all readers that have got something, once the turn's input is worked off. One immediate
 * for all of them: one each would cost more than half of what the writes cost, as Node looks for
 * promises and ticks after every one.
 */
export class FlushTurn {
  #readers: Flushable[] = [];
  readonly #joined = new JoinedFrames();

  /** To be called once a reader and turn. */
  add(reader: Flushable): void {
    if (this.#readers.push(reader) === 1) setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) reader.flush(this.#joined);
    this.#joined.clear();
  };
}
