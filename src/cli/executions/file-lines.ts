import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';

/**
 * A line of a file, without its end. What cannot be taken as it is has a `problem`: then the text is
 * only to be shown, or to look for what is wrong in it.
 */
export type FileLine = {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  readonly problem: 'notUtf8' | 'tooLong' | undefined;
};

/** Nothing that can be recorded takes 3 KiB; a file without line ends must not fill the memory. */
export const longestLineBytes = 65_536;
/** What is shown of a line that is too long. */
const shownBytes = 200;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** The lines of a file, as they are read; `onRead` is told how many of its bytes have been. */
export async function* fileLines(
  path: string,
  onRead: (bytes: number) => void,
): AsyncGenerator<FileLine> {
  const file = createReadStream(path);
  const line = new LineInPieces();
  let number = 0;
  for await (const chunk of file as AsyncIterable<Buffer>) {
    onRead(file.bytesRead);
    let start = 0;
    for (let end; (end = chunk.indexOf(lineFeed, start)) >= 0; start = end + 1) {
      line.add(chunk.subarray(start, end));
      yield line.take(++number);
    }
    line.add(chunk.subarray(start));
  }
  if (line.bytes > 0) yield line.take(++number);
}

/** A line whose end has perhaps not been read yet. */
class LineInPieces {
  #pieces: Buffer[] = [];
  bytes = 0;

  add(piece: Buffer): void {
    // Once it is too long, what else it holds is not wanted any more.
    if (this.bytes <= longestLineBytes) this.#pieces.push(piece);
    this.bytes += piece.length;
  }

  take(number: number): FileLine {
    const isTooLong = this.bytes > longestLineBytes;
    const [first] = this.#pieces;
    const whole =
      first !== undefined && this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.bytes = 0;
    if (isTooLong) {
      return { number, text: `${whole.toString('utf8', 0, shownBytes)}…`, problem: 'tooLong' };
    }
    const bytes = whole.at(-1) === carriageReturn ? whole.subarray(0, -1) : whole;
    const text = bytes.toString();
    return {
      number,
      // A file may begin with the mark of its byte order.
      text: number === 1 ? text.replace(/^\uFEFF/u, '') : text,
      problem: isUtf8(bytes) ? undefined : 'notUtf8',
    };
  }
}
