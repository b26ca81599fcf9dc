import type { Moment } from './execution-source.ts';

const rfc3339Pattern =
  /^(\d{4}-\d{2}-\d{2})[Tt ]((?:[01]\d|2[0-3]):\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/u;
const epochPattern = /^(\d{1,17})(?:\.(\d{1,9}))?$/u;

/**
 * Reads a moment: RFC 3339, or seconds since 1970 with or without a fraction; whole numbers of 12 to
 * 14 digits are milliseconds, longer ones microseconds. undefined: it is none.
 */
export function parseTime(text: string): Moment | undefined {
  return parseRfc3339(text) ?? parseEpoch(text);
}

function parseRfc3339(text: string): Moment | undefined {
  const [, date, time, fraction = '', zone] = rfc3339Pattern.exec(text) ?? [];
  if (date === undefined) return undefined;
  const iso = `${date}T${time}.000${zone?.toUpperCase()}`;
  const milliseconds = Date.parse(iso);
  if (Number.isNaN(milliseconds) || !isRealDate(date)) return undefined;
  return moment(BigInt(milliseconds / 1000), fraction);
}

/** Date.parse takes the 30th of February for the 1st or 2nd of March. */
function isRealDate(date: string): boolean {
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}

function parseEpoch(text: string): Moment | undefined {
  const [, whole, fraction] = epochPattern.exec(text) ?? [];
  if (whole === undefined) return undefined;
  if (whole.length <= 11) return moment(BigInt(whole), fraction ?? '');
  if (fraction !== undefined) return undefined;
  const perSecond = whole.length <= 14 ? 1_000n : 1_000_000n;
  const rest = String(BigInt(whole) % perSecond).padStart(perSecond === 1_000n ? 3 : 6, '0');
  return moment(BigInt(whole) / perSecond, rest);
}

function moment(seconds: bigint, fraction: string): Moment {
  return { seconds, nanos: Number(fraction.padEnd(9, '0')) };
}
