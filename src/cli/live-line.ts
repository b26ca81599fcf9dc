import { stripVTControlCharacters } from 'node:util';
import type { WriteStream } from 'node:tty';
import { writeLines } from './write-lines.ts';

/** To the first column, and what stands there away. */
const clearLine = '\r\u001b[2K';

/** Lines that stay, and on a terminal a last one that the next one takes the place of. */
export class LiveLine {
  readonly #stream: WriteStream;
  #isOpen = false;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  /** Whether there is a last line that can be replaced. */
  get isLive(): boolean {
    return this.#stream.isTTY;
  }

  /** Shows the last line; where the output is no terminal, nothing. */
  show(line: string): void {
    if (!this.isLive) return;
    // A line that wraps could not be taken away again: a narrow terminal shows its beginning.
    const plain = stripVTControlCharacters(line);
    const fits = plain.length < this.#stream.columns;
    this.#stream.write(clearLine + (fits ? line : plain.slice(0, this.#stream.columns - 1)));
    this.#isOpen = true;
  }

  clear(): void {
    if (this.#isOpen) this.#stream.write(clearLine);
    this.#isOpen = false;
  }

  /** One line that stays. */
  async print(line: string): Promise<void> {
    this.clear();
    await writeLines(this.#stream, [line]);
  }
}
