// A batch goes to Postgres as one array a column, written as a literal: a hundredth of the
// parameters, and no library looks at each value.

/** Numbers, times and booleans as they are: they hold nothing that an array literal gives meaning to. */
export function plainColumn(values: readonly string[]): string {
  return `{${values.join(',')}}`;
}

/** Texts, quoted; undefined is NULL. */
export function textColumn(values: readonly (string | undefined)[]): string {
  const texts = values.map((value) =>
    value === undefined ? 'NULL' : `"${value.replaceAll(/["\\]/gu, '\\$&')}"`,
  );
  return `{${texts.join(',')}}`;
}
