import { createWriteStream, existsSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { Failure } from '../failure.ts';
import type { SourceRow } from './execution-source.ts';

/** How many of them are told on the terminal: the file has all. */
const mostTold = 3;

/** Refused rows, a JSON object a line; the file is made with the first one. */
export class RefusedRows {
  readonly path: string;
  readonly #isContinued: boolean;
  readonly #told: string[] = [];
  #stream: WriteStream | undefined;
  #failure: Error | undefined;
  #count = 0;

  /** `isContinued`: the import goes on where it was, and so does the file. */
  constructor(path: string, isContinued: boolean) {
    this.path = path;
    this.#isContinued = isContinued && existsSync(path);
  }

  add({ line, text }: SourceRow, reason: string): void {
    this.#count++;
    if (this.#told.length < mostTold) this.#told.push(`line ${line}: ${reason}`);
    this.#stream ??= this.#open();
    this.#stream.write(`${JSON.stringify({ line, reason, text })}\n`);
  }

  #open(): WriteStream {
    const stream = createWriteStream(this.path, { flags: this.#isContinued ? 'a' : 'w' });
    stream.on('error', (error) => (this.#failure = error));
    return stream;
  }

  /** What is to be told of them; undefined: there are none. */
  complaint(): string | undefined {
    if (this.#count === 0 && !this.#isContinued) return undefined;
    const more = this.#count - this.#told.length;
    const lines = more > 0 ? [...this.#told, `and ${more} more`] : this.#told;
    const were = this.#count === 1 && !this.#isContinued ? 'row was' : 'rows were';
    const count = this.#isContinued ? 'some' : String(this.#count);
    return [`${count} ${were} refused, see ${this.path}`, ...lines].join('\n  ');
  }

  /** @throws Failure where they could not be written */
  async close(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined) return;
    await new Promise<void>((resolve) => stream.end(resolve));
    if (this.#failure === undefined) return;
    throw new Failure(`${this.path}: refused rows cannot be written (${this.#failure.message})`);
  }
}
