import type { Codec, SharedFrame } from './shared-frame.ts';

/**
 * The frames that wait for one reader, in the order in which they came. A frame that replaces
 * another goes to the end, never to the other's place: whoever was cut off in between resumes after
 * the last one it got, and must not have got a later one before an earlier.
 */
export class PendingFrames {
  readonly #codec: Codec;
  /** By conflation key, others by a number of their own; a Map remembers the order. */
  readonly #frames = new Map<string | number, SharedFrame>();
  #nextNumber = 0;
  #byteLength = 0;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  get isEmpty(): boolean {
    return this.#frames.size === 0;
  }

  add(frame: SharedFrame): void {
    if (frame.supersedes !== undefined) this.#remove(frame.supersedes);
    if (frame.conflateKey !== undefined) this.#remove(frame.conflateKey);
    this.#frames.set(frame.conflateKey ?? this.#nextNumber++, frame);
    this.#byteLength += frame.bytes(this.#codec).length;
  }

  /** Takes the first frames out, joined: one at least, and no more than fit into `maxBytes`. */
  take(maxBytes: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (const [key, frame] of this.#frames) {
      const bytes = frame.bytes(this.#codec);
      if (parts.length > 0 && length + bytes.length > maxBytes) break;
      parts.push(bytes);
      length += bytes.length;
      this.#frames.delete(key);
    }
    this.#byteLength -= length;
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, length);
  }

  clear(): void {
    this.#frames.clear();
    this.#byteLength = 0;
  }

  #remove(key: string): void {
    const frame = this.#frames.get(key);
    if (frame === undefined) return;
    this.#frames.delete(key);
    this.#byteLength -= frame.bytes(this.#codec).length;
  }
}
