import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';

/** Written beside the file that is imported. */
const suffix = '.import-progress';
const schema = z.object({
  bytes: z.number(),
  modifiedMs: z.number(),
  rows: z.number(),
  refusedBytes: z.number(),
});
type Noted = Pick<z.infer<typeof schema>, 'rows' | 'refusedBytes'>;

/**
 * How much of a file has been imported, kept beside it while it is not done, so that an import that
 * was cut off goes on where it was. It only saves time: rows that are sent again change nothing.
 */
export class ImportProgress {
  readonly #path: string;
  readonly #file: { readonly bytes: number; readonly modifiedMs: number };
  /** The rows that were dealt with when this was opened. */
  readonly rows: number;
  /** How long the file of refused rows was then. */
  readonly refusedBytes: number;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    path: string,
    file: { readonly bytes: number; readonly modifiedMs: number },
    { rows, refusedBytes }: Noted,
  ) {
    this.#path = path;
    this.#file = file;
    this.rows = rows;
    this.refusedBytes = refusedBytes;
  }

  static async open(file: string): Promise<ImportProgress> {
    const { size, mtimeMs } = await stat(file);
    const path = file + suffix;
    const known = await read(path);
    const isSame = known?.bytes === size && known.modifiedMs === mtimeMs;
    const noted = isSame ? known : { rows: 0, refusedBytes: 0 };
    return new ImportProgress(path, { bytes: size, modifiedMs: mtimeMs }, noted);
  }

  /** Notes the rows that are dealt with; where nothing can be written, an import begins anew. */
  note(noted: Noted): void {
    const text = JSON.stringify({ ...this.#file, ...noted } satisfies z.infer<typeof schema>);
    this.#writing = this.#writing.then(() => write(this.#path, text));
  }

  /** Everything has been imported. */
  async done(): Promise<void> {
    await this.#writing;
    await rm(this.#path, { force: true });
  }
}

async function read(path: string): Promise<z.infer<typeof schema> | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  } catch {
    // A folder that may not be written: the next import sends all rows again.
  }
}
