import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';
import { Failure } from '../failure.ts';
import type { ExecutionSource, SourceRow } from './execution-source.ts';
import { parseTime } from './execution-time.ts';

export type ExecutionFileOptions = {
  readonly path: string;
  /** The account of rows that name none. */
  readonly account: string;
  /** The source of rows that name none. */
  readonly source: string;
  /** Told how many of the file's bytes have been read so far. */
  readonly onRead: (bytes: number) => void;
};

const requiredColumns = ['source_id', 'instrument', 'quantity', 'price', 'executed_at'] as const;
const optionalColumns = ['account', 'fee', 'source', 'exchange', 'corrects'] as const;
type Column = (typeof requiredColumns)[number] | (typeof optionalColumns)[number];
type Fields = { readonly [column in Column]?: string };

const batchSize = 1_000;
/** No row of ours is this long: what is longer is no CSV with line ends. */
const longestRecordBytes = 1024 * 1024;

/** Executions in a file: CSV with a header, or a JSON object a line with the same names. */
export class ExecutionFile implements ExecutionSource {
  readonly #options: ExecutionFileOptions;

  constructor(options: ExecutionFileOptions) {
    this.#options = options;
  }

  /** @throws Failure for a file that cannot be read, or whose header lacks columns */
  async *rows(): AsyncGenerator<readonly SourceRow[]> {
    const { path } = this.#options;
    try {
      yield* inBatches((await isJson(path)) ? this.#jsonRows() : this.#csvRows());
    } catch (error) {
      if (error instanceof Failure || !(error instanceof Error)) throw error;
      throw new Failure(`${path}: ${error.message}`, { cause: error });
    }
  }

  async *#jsonRows(): AsyncGenerator<SourceRow> {
    const file = createReadStream(this.#options.path);
    let line = 0;
    for await (const text of createInterface({ input: file, crlfDelay: Infinity })) {
      line++;
      if (text.trim() === '') continue;
      this.#options.onRead(file.bytesRead);
      const fields = readObject(text);
      yield fields === undefined
        ? { line, text, problem: 'Expected a JSON object' }
        : this.#row(line, text, fields);
    }
  }

  async *#csvRows(): AsyncGenerator<SourceRow> {
    const { path, onRead } = this.#options;
    const file = createReadStream(path);
    const parser = parse({
      bom: true,
      columns: (header: string[]) => checkedHeader(path, header),
      info: true,
      raw: true,
      max_record_size: longestRecordBytes,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      trim: true,
    });
    file.on('error', (error) => parser.destroy(error));
    type Parsed = { record: Fields; raw: string; info: { lines: number; error?: Error } };
    for await (const { record, raw, info } of file.pipe(parser) as AsyncIterable<Parsed>) {
      onRead(file.bytesRead);
      yield this.#row(info.lines, raw.trim(), record);
    }
  }

  #row(line: number, text: string, fields: Fields): SourceRow {
    const { account, source } = this.#options;
    const { source_id: sourceId = '', instrument = '', executed_at: executedAt = '' } = fields;
    const executedTime = parseTime(executedAt);
    if (executedTime === undefined) {
      const expected = 'executed_at: expected RFC 3339 or a number since 1970';
      return { line, text, problem: `${expected}, got ${JSON.stringify(executedAt.slice(0, 60))}` };
    }
    const { exchange = '', quantity = '', price = '', fee = '', corrects = '' } = fields;
    const execution = {
      sourceId,
      account: fields.account || account,
      instrument: exchange === '' ? instrument : `${exchange}:${instrument}`,
      quantity,
      price,
      fee,
      corrects,
      executedTime,
    };
    if (
      Object.values(execution).some((value) => typeof value === 'string' && !value.isWellFormed())
    ) {
      return { line, text, problem: 'Expected well-formed Unicode' };
    }
    return { line, text, source: fields.source || source, execution };
  }
}

async function* inBatches(rows: AsyncIterable<SourceRow>): AsyncGenerator<readonly SourceRow[]> {
  let batch: SourceRow[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Whether the first thing in the file is an object. */
async function isJson(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1024), 0, 1024, 0);
  return buffer
    .toString('utf8', 0, bytesRead)
    .replace(/^\uFEFF/u, '')
    .trimStart()
    .startsWith('{');
}

function checkedHeader(path: string, header: readonly string[]): string[] {
  const columns = header.map((name) => name.toLowerCase());
  const missing = requiredColumns.filter((name) => !columns.includes(name));
  if (missing.length === 0) return columns;
  throw new Failure(
    `${path}: expected a header with ${requiredColumns.join(',')} and perhaps ${optionalColumns.join(',')}; ${missing.join(', ')} is missing`,
  );
}

/** JSON.parse hands a third argument to its reviver, which TypeScript does not know yet. */
type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** The fields as texts: numbers keep the digits that were written, as a float would lose some. */
function readObject(text: string): Fields | undefined {
  const asWritten: Reviver = (_key, value, context) =>
    typeof value === 'number' ? context?.source : value;
  try {
    const object: unknown = JSON.parse(text, asWritten);
    if (typeof object !== 'object' || object === null || Array.isArray(object)) return undefined;
    return Object.fromEntries(
      Object.entries(object).filter(([, value]) => typeof value === 'string'),
    );
  } catch {
    return undefined;
  }
}
