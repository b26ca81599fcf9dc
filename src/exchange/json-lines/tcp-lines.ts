import { isAscii, isUtf8 } from 'node:buffer';
import { sampleLength, sampleOf } from '../bad-frame.ts';

export type LineListener = {
  /** A whole line, without its newline. */
  line(text: string): void;
  /** A whole line that is not UTF-8. */
  notText(bytes: Buffer): void;
};

const newline = 10;

/**
 * Cuts a stream of bytes into lines, wherever the chunks begin and end. A character is never read
 * before all of its bytes are there, for its line must be.
 */
export class LineSplitter {
  readonly #limitBytes: number;
  readonly #listener: LineListener;
  /** The beginning of a line whose end has not come yet. */
  readonly #rest: Buffer;
  #restBytes = 0;
  #refused = '';

  constructor(limitBytes: number, listener: LineListener) {
    this.#limitBytes = limitBytes;
    this.#listener = listener;
    this.#rest = Buffer.allocUnsafe(limitBytes);
  }

  /** Bytes of a line whose end has not come yet; 0 once one was too long. */
  get restBytes(): number {
    return this.#restBytes;
  }

  /** The beginning of the line that was too long, or whose end has not come yet: for people. */
  get begun(): string {
    return this.#refused || beginning(this.#rest.subarray(0, this.#restBytes));
  }

  /**
   * Tells the lines that end in these bytes.
   * @returns false as soon as a line is longer than the limit: no more may be given then
   */
  take(chunk: Buffer): boolean {
    let begin = 0;
    if (this.#restBytes > 0) {
      const end = chunk.indexOf(newline);
      if (!this.#keep(end < 0 ? chunk : chunk.subarray(0, end))) return false;
      if (end < 0) return true;
      const line = this.#rest.subarray(0, this.#restBytes);
      this.#restBytes = 0;
      this.#tellLine(line);
      begin = end + 1;
    }
    const end = Math.max(begin, chunk.lastIndexOf(newline) + 1);
    return this.#tellLines(chunk.subarray(begin, end)) && this.#keep(chunk.subarray(end));
  }

  #keep(part: Buffer): boolean {
    if (this.#restBytes + part.length > this.#limitBytes) {
      const begun = beginning(this.#rest.subarray(0, this.#restBytes));
      this.#restBytes = 0;
      return this.#refuse(begun + beginning(part));
    }
    part.copy(this.#rest, this.#restBytes);
    this.#restBytes += part.length;
    return true;
  }

  /** Bytes that end with a newline: reading them at once is several times as fast as line by line. */
  #tellLines(block: Buffer): boolean {
    const text = textOf(block);
    if (text === undefined) return this.#tellEach(block);
    for (let from = 0; from < text.length;) {
      const end = text.indexOf('\n', from);
      if (end - from > this.#limitBytes) return this.#refuse(text.slice(from));
      this.#listener.line(text.slice(from, end));
      from = end + 1;
    }
    return true;
  }

  /** Finds the line that is not text among others that are. */
  #tellEach(block: Buffer): boolean {
    for (let from = 0; from < block.length;) {
      const end = block.indexOf(newline, from);
      if (end - from > this.#limitBytes) return this.#refuse(beginning(block.subarray(from)));
      this.#tellLine(block.subarray(from, end));
      from = end + 1;
    }
    return true;
  }

  #refuse(line: string): false {
    this.#refused = sampleOf(line);
    return false;
  }

  #tellLine(bytes: Buffer): void {
    const text = textOf(bytes);
    if (text === undefined) this.#listener.notText(bytes);
    else this.#listener.line(text);
  }
}

/** undefined: it is not UTF-8. */
function textOf(bytes: Buffer): string | undefined {
  if (isAscii(bytes)) return bytes.toString('latin1');
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

/** Not more of it than anybody looks at, and as it is where it is no text. */
function beginning(bytes: Buffer): string {
  return sampleOf(bytes.subarray(0, sampleLength).toString('latin1'));
}
