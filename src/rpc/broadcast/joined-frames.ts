import type { Codec, SharedFrame } from './shared-frame.ts';

/**
 * What readers got in this turn: most wait for the same frames as the one before them, so the bytes
 * are joined once and shared. To be cleared after the turn, or a frame that waits long for one slow
 * reader would keep what others got with it.
 */
export class JoinedFrames {
  /** By the first of the frames: the last ones that were joined. */
  readonly #joined = new Map<
    SharedFrame,
    { readonly frames: readonly SharedFrame[]; readonly codec: Codec; readonly bytes: Uint8Array }
  >();

  /** The frames' bytes, one after the other; neither those nor the array may change any more. */
  bytes(frames: readonly SharedFrame[], codec: Codec): Uint8Array {
    const [first] = frames;
    if (first === undefined) return new Uint8Array(0);
    if (frames.length === 1) return first.bytes(codec);
    const known = this.#joined.get(first);
    if (known?.codec === codec && areSame(known.frames, frames)) return known.bytes;
    const bytes = joinFrames(frames, codec);
    this.#joined.set(first, { frames, codec, bytes });
    return bytes;
  }

  clear(): void {
    this.#joined.clear();
  }
}

/** The frames' bytes, one after the other. */
export function joinFrames(frames: readonly SharedFrame[], codec: Codec): Uint8Array {
  const [first] = frames;
  if (first !== undefined && frames.length === 1) return first.bytes(codec);
  return Buffer.concat(frames.map((frame) => frame.bytes(codec)));
}

function areSame(some: readonly SharedFrame[], others: readonly SharedFrame[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index++) {
    if (some[index] !== others[index]) return false;
  }
  return true;
}
