import { existsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { Failure } from '../failure.ts';
import type { SourceRow } from './execution-source.ts';

/** How many of them are told on the terminal: the file has all. */
const mostTold = 3;

/** Refused rows, a JSON object a line; the file is made with the first one. */
export class RefusedRows {
  readonly path: string;
  readonly #isContinued: boolean;
  readonly #told: string[] = [];
  #waiting: string[] = [];
  #file: FileHandle | undefined;
  #bytes: number;
  #count = 0;

  private constructor(path: string, bytes: number) {
    this.path = path;
    this.#bytes = bytes;
    this.#isContinued = bytes > 0;
  }

  /**
   * Goes on behind the first `bytes` of the file: what follows was written by an import that was cut off
   * before it noted that, and comes again.
   * @throws Failure where the file cannot be written
   */
  static async open(path: string, bytes: number): Promise<RefusedRows> {
    try {
      // What is there of another import would be taken for this one's.
      if (bytes === 0) await rm(path, { force: true });
      return new RefusedRows(path, bytes === 0 ? 0 : await cut(path, bytes));
    } catch (error) {
      throw cannotBeWritten(path, error);
    }
  }

  add({ line, text }: SourceRow, reason: string): void {
    this.#count++;
    if (this.#told.length < mostTold) this.#told.push(`line ${line}: ${reason}`);
    this.#waiting.push(`${JSON.stringify({ line, reason, text })}\n`);
  }

  /**
   * Writes what was added, and answers how long the file is then.
   * @throws Failure where it cannot be written
   */
  async write(): Promise<number> {
    const bytes = Buffer.from(this.#waiting.join(''));
    this.#waiting = [];
    if (bytes.length === 0) return this.#bytes;
    try {
      this.#file ??= await open(this.path, 'a');
      await this.#file.appendFile(bytes);
    } catch (error) {
      throw cannotBeWritten(this.path, error);
    }
    this.#bytes += bytes.length;
    return this.#bytes;
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
  }
}

/** Cuts a file to so many bytes, if it has more, and answers how many it has; none: it is not there. */
async function cut(path: string, bytes: number): Promise<number> {
  if (!existsSync(path)) return 0;
  await using file = await open(path, 'r+');
  const { size } = await file.stat();
  if (size <= bytes) return size;
  await file.truncate(bytes);
  return bytes;
}

function cannotBeWritten(path: string, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure(`${path}: refused rows cannot be written (${why})`, { cause });
}
