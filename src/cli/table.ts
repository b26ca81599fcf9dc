import { stripVTControlCharacters, styleText } from 'node:util';

export type Column = { readonly title: string; readonly align: 'left' | 'right' };

/**
 * Lays rows out in columns of the width they need. It keeps its widths, which only grow, so that
 * rows that come later stand below the earlier ones.
 */
export class Table {
  readonly #columns: readonly Column[];
  readonly #widths: number[];

  constructor(columns: readonly Column[]) {
    this.#columns = columns;
    this.#widths = columns.map(({ title }) => width(title));
  }

  /** Widens the columns to what `row` needs. */
  fit(row: readonly string[]): void {
    for (const [index, cell] of row.entries()) {
      this.#widths[index] = Math.max(this.#widths[index] ?? 0, width(cell));
    }
  }

  header(): string {
    return this.line(this.#columns.map(({ title }) => title));
  }

  /** One row; cells may hold colours. */
  line(row: readonly string[]): string {
    this.fit(row);
    const cells = this.#columns.map(({ align }, index) => {
      const cell = row[index] ?? '';
      const space = ' '.repeat((this.#widths[index] ?? 0) - width(cell));
      return align === 'right' ? space + cell : cell + space;
    });
    return cells.join('  ').trimEnd();
  }
}

/** The lines of a table on standard output, its header in bold. */
export function* tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): Iterable<string> {
  const table = new Table(columns);
  for (const row of rows) table.fit(row);
  yield styleText('bold', table.header(), { stream: process.stdout });
  for (const row of rows) yield table.line(row);
}

/** Columns on a terminal: colours take none, a wide character (most of CJK, emoji) takes two. */
function width(text: string): number {
  let columns = 0;
  for (const character of stripVTControlCharacters(text)) columns += isWide(character) ? 2 : 1;
  return columns;
}

function isWide(character: string): boolean {
  return /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u.test(
    character,
  );
}
