/** The names of what a row has: a CSV file's columns, a JSON object's fields. */
const requiredColumns = ['source_id', 'instrument', 'quantity', 'price', 'executed_at'] as const;
const optionalColumns = ['account', 'fee', 'source', 'exchange', 'corrects'] as const;
const allColumns: readonly string[] = [...requiredColumns, ...optionalColumns];

export type Column = (typeof requiredColumns)[number] | (typeof optionalColumns)[number];

/** A row's values as texts, each as it was written. */
export type Fields = { readonly [column in Column]?: string };

export function isColumn(name: string): name is Column {
  return allColumns.includes(name);
}

export const expectedColumns = `${requiredColumns.join(',')} and perhaps ${optionalColumns.join(',')}`;

/** Whether a CSV line is meant to be a header, if not a right one. */
export function looksLikeHeader(names: readonly string[]): boolean {
  return headerColumns(names).some((name) => requiredColumns.some((column) => column === name));
}

/** A header's names as columns are called. */
export function headerColumns(names: readonly string[]): readonly string[] {
  return names.map((name) => name.toLowerCase());
}

/** What is wrong with a header; undefined: nothing. */
export function headerProblem(columns: readonly string[]): string | undefined {
  const missing = requiredColumns.filter((name) => !columns.includes(name));
  const unknown = columns.filter((name) => !isColumn(name));
  const twice = columns.filter((name, index) => columns.indexOf(name) !== index);
  const problems = [
    ...(missing.length === 0 ? [] : [`${missing.join(', ')} is missing`]),
    ...unknown.map((name) => `${JSON.stringify(name.slice(0, 60))} is unknown`),
    ...twice.map((name) => `${name.slice(0, 60)} comes twice`),
  ];
  if (problems.length === 0) return undefined;
  return `expected a header with ${expectedColumns}; ${problems.slice(0, 10).join(', ')}`;
}
