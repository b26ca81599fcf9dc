import { extname } from 'node:path';
import { Failure } from '../failure.ts';
import {
  expectedColumns,
  headerColumns,
  headerProblem,
  looksLikeHeader,
} from './execution-columns.ts';
import type { Fields } from './execution-columns.ts';
import type { ExecutionSource, SourceRow } from './execution-source.ts';
import { parseTime } from './execution-time.ts';
import { fileLines, longestLineBytes } from './file-lines.ts';
import type { FileLine } from './file-lines.ts';
import { csvFields, csvValues, jsonFields } from './line-fields.ts';
import type { LineFields } from './line-fields.ts';

export type ExecutionFileOptions = {
  readonly path: string;
  /** The account of rows that name none. */
  readonly account: string;
  /** The source of rows that name none. */
  readonly source: string;
  /** Told how many of the file's bytes have been read so far. */
  readonly onRead: (bytes: number) => void;
};

const batchSize = 1_000;
const jsonExtensions: readonly string[] = ['.json', '.jsonl', '.ndjson'];

/** Reads a line's fields. */
type Format = (text: string) => LineFields;

/**
 * Executions in a file: CSV with a header, or a JSON object a line with the same names. The file's name
 * says which; where it does not, the first line that is a header or an object does. Each line stands
 * for itself: one that cannot be read is a row with a problem, and the rest goes on.
 */
export class ExecutionFile implements ExecutionSource {
  readonly #options: ExecutionFileOptions;

  constructor(options: ExecutionFileOptions) {
    this.#options = options;
  }

  /** @throws Failure for a file that cannot be read, or whose header is wrong */
  async *rows(): AsyncGenerator<readonly SourceRow[]> {
    const { path } = this.#options;
    try {
      yield* inBatches(this.#rows());
    } catch (error) {
      if (error instanceof Failure || !(error instanceof Error)) throw error;
      throw new Failure(`${path}: ${error.message}`, { cause: error });
    }
  }

  async *#rows(): AsyncGenerator<SourceRow> {
    const { path, onRead } = this.#options;
    const extension = extname(path).toLowerCase();
    let format: Format | undefined = jsonExtensions.includes(extension) ? jsonFields : undefined;
    for await (const line of fileLines(path, onRead)) {
      if (line.text.trim() === '') continue;
      if (format === undefined && line.problem === undefined) {
        const header = this.#header(line.text, extension === '.csv');
        if (header !== undefined) {
          format = (text) => csvFields(header, text);
          continue;
        }
        if (line.text.trimStart().startsWith('{')) format = jsonFields;
      }
      yield this.#row(line, format);
    }
  }

  /** The columns of a line that is a header. @throws Failure for one that is a wrong one */
  #header(text: string, isExpected: boolean): readonly string[] | undefined {
    const values = csvValues(text) ?? [];
    if (!isExpected && !looksLikeHeader(values)) return undefined;
    const columns = headerColumns(values);
    const problem = headerProblem(columns);
    if (problem !== undefined) throw new Failure(`${this.#options.path}: ${problem}`);
    return columns;
  }

  #row({ number: line, text, problem }: FileLine, format: Format | undefined): SourceRow {
    if (problem === 'tooLong') {
      return { line, text, problem: `Expected at most ${longestLineBytes} bytes a line` };
    }
    const read = format?.(text) ?? {
      problem: `Expected a JSON object, or a header with ${expectedColumns}`,
    };
    if (problem === 'notUtf8') {
      const fields = 'fields' in read ? read.fields : {};
      // What is no UTF-8 has become this letter.
      const field = fieldWhere(fields, (value) => value.includes('\uFFFD'));
      return {
        line,
        text,
        problem: field === undefined ? 'Expected UTF-8' : `${field}: expected UTF-8`,
      };
    }
    return 'problem' in read ? { line, text, ...read } : this.#execution(line, text, read.fields);
  }

  #execution(line: number, text: string, fields: Fields): SourceRow {
    const { account, source } = this.#options;
    const { source_id: sourceId = '', instrument = '', executed_at: executedAt = '' } = fields;
    const broken = fieldWhere(fields, (value) => !value.isWellFormed());
    if (broken !== undefined) {
      return { line, text, problem: `${broken}: expected well-formed Unicode` };
    }
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
    return { line, text, source: fields.source || source, execution };
  }
}

/** The name of the first field whose value is such a one. */
function fieldWhere(fields: Fields, isSuch: (value: string) => boolean): string | undefined {
  return Object.entries(fields).find(([, value]) => isSuch(value))?.[0];
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
