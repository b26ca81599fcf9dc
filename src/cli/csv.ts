/** A value of a record for programs; undefined is an empty field in CSV and left out in JSON. */
export type Field = string | number | boolean | undefined;

/** One line of CSV as RFC 4180 quotes it, without the line's end. */
export function csvLine(fields: Iterable<Field>): string {
  return Array.from(fields, csvField).join(',');
}

function csvField(field: Field): string {
  const text = String(field ?? '');
  return /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
