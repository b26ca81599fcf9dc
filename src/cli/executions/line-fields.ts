import { parse } from 'csv-parse/sync';
import { ExactNumber, parseExactJson } from '../../base/exact-json.ts';
import { expectedColumns, isColumn } from './execution-columns.ts';
import type { Fields } from './execution-columns.ts';

/** What a line says, or why it says nothing. */
export type LineFields = { readonly fields: Fields } | { readonly problem: string };

/**
 * The values of a line of CSV; undefined where its quotes are wrong. A row never goes over several
 * lines: no value of ours has a line's end in it, and so a quote too many spoils its own line alone.
 */
export function csvValues(text: string): readonly string[] | undefined {
  // Nearly all lines are this simple, and a parser for each of them takes ten times as long.
  if (!text.includes('"')) return text.split(',').map((value) => value.trim());
  try {
    const [values] = parse(text, { trim: true });
    return values;
  } catch {
    return undefined;
  }
}

/** Reads a line of CSV below a header of these columns. */
export function csvFields(columns: readonly string[], text: string): LineFields {
  const values = csvValues(text);
  if (values === undefined) {
    return { problem: 'Expected CSV, got a quote within a value, or one that is not closed' };
  }
  // A value that has slipped into another column would be wrong for ever.
  if (values.length !== columns.length) {
    return {
      problem: `Expected ${columns.length} values, as many as the header has, got ${values.length}`,
    };
  }
  return { fields: Object.fromEntries(columns.map((name, index) => [name, values[index]])) };
}

/** Reads a line that is a JSON object; numbers keep the digits that were written. */
export function jsonFields(text: string): LineFields {
  let json: unknown;
  try {
    json = parseExactJson(text);
  } catch {
    return { problem: 'Expected a JSON object' };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return { problem: 'Expected a JSON object' };
  }
  const entries: (readonly [string, string])[] = [];
  for (const [name, value] of Object.entries(json)) {
    // What is not understood may have been meant to say whose it is, or that it corrects another.
    if (!isColumn(name)) {
      return { problem: `${name.slice(0, 60)}: expected only ${expectedColumns}` };
    }
    if (value === null) continue;
    const written: unknown = value instanceof ExactNumber ? value.source : value;
    if (typeof written !== 'string') return { problem: `${name}: expected a text or a number` };
    entries.push([name, written]);
  }
  return { fields: Object.fromEntries(entries) };
}
