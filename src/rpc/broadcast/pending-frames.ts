import { joinFrames } from './joined-frames.ts';
import type { JoinedFrames } from './joined-frames.ts';
import type { Codec, SharedFrame } from './shared-frame.ts';

/**
 * The frames that wait for one reader, in the order in which they came. A frame that replaces
 * another goes to the end, never to the other's place: whoever was cut off in between resumes after
 * the last one it got, and must not have got a later one before an earlier.
 */
export class PendingFrames {
  readonly #codec: Codec;
  /** In order; a frame that was taken out leaves a hole. (A Map would do, at twice the time.) */
  #frames: (SharedFrame | undefined)[] = [];
  /** Where in `#frames` the first one that is still to be sent may be. */
  #start = 0;
  #holes = 0;
  /** Where the waiting frame of each conflation key is. */
  readonly #positions = new Map<string, number>();
  #byteLength = 0;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  get isEmpty(): boolean {
    return this.#frames.length - this.#start === this.#holes;
  }

  add(frame: SharedFrame): void {
    const { conflateKey, supersedes } = frame;
    if (supersedes !== undefined) this.#remove(supersedes);
    if (conflateKey !== undefined) {
      this.#remove(conflateKey);
      this.#positions.set(conflateKey, this.#frames.length);
    }
    this.#frames.push(frame);
    this.#byteLength += frame.bytes(this.#codec).length;
  }

  /**
   * Takes the first frames out, joined: one at least, and no more than fit into `maxBytes`; shared
   * with the readers that get the same ones, where `joined` is given.
   */
  take(maxBytes: number, joined?: JoinedFrames): Uint8Array {
    const frames = this.#takeFrames(maxBytes);
    return joined?.bytes(frames, this.#codec) ?? joinFrames(frames, this.#codec);
  }

  clear(): void {
    this.#frames = [];
    this.#start = 0;
    this.#holes = 0;
    if (this.#positions.size > 0) this.#positions.clear();
    this.#byteLength = 0;
  }

  #takeFrames(maxBytes: number): readonly SharedFrame[] {
    if (this.#start === 0 && this.#holes === 0 && this.#byteLength <= maxBytes) {
      // Without holes.
      const all = this.#frames as readonly SharedFrame[];
      this.clear();
      return all;
    }
    const taken: SharedFrame[] = [];
    let length = 0;
    for (; this.#start < this.#frames.length; this.#start++) {
      const frame = this.#frames[this.#start];
      if (frame === undefined) {
        this.#holes--;
        continue;
      }
      const { length: bytes } = frame.bytes(this.#codec);
      if (taken.length > 0 && length + bytes > maxBytes) break;
      taken.push(frame);
      length += bytes;
      if (frame.conflateKey !== undefined) this.#positions.delete(frame.conflateKey);
    }
    this.#byteLength -= length;
    if (this.#start === this.#frames.length) this.clear();
    else this.#compact();
    return taken;
  }

  #remove(key: string): void {
    const position = this.#positions.get(key);
    if (position === undefined) return;
    this.#byteLength -= this.#frames[position]?.bytes(this.#codec).length ?? 0;
    this.#frames[position] = undefined;
    this.#positions.delete(key);
    this.#holes++;
    this.#compact();
  }

  /** Forgets what is not there any more, once it is the larger part. */
  #compact(): void {
    const gone = this.#start + this.#holes;
    if (gone < 64 || gone * 2 < this.#frames.length) return;
    this.#frames = this.#frames.filter(
      (frame, index) => index >= this.#start && frame !== undefined,
    );
    this.#start = 0;
    this.#holes = 0;
    this.#positions.clear();
    for (const [index, frame] of this.#frames.entries()) {
      if (frame?.conflateKey !== undefined) this.#positions.set(frame.conflateKey, index);
    }
  }
}
