/** Nanoseconds of each unit that durations may be written in. */
const unitNanos: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
  ['d', 86_400_000_000_000n],
  ['w', 604_800_000_000_000n],
]);

/** Characters; the longest duration that protobuf can hold has 24. */
const maxLength = 40;

/**
 * Reads a duration as protobuf ("300s", "0.5s") or people ("5m", "1h30m", "1w") write it, in
 * nanoseconds. undefined: it is none, or finer than a nanosecond.
 */
export function parseDuration(text: string): bigint | undefined {
  if (text.length > maxLength || !/^-?(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|[smhdw]))+$/u.test(text)) {
    return undefined;
  }
  let nanos = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(
    /(\d+)(?:\.(\d+))?(ns|us|µs|ms|[smhdw])/gu,
  )) {
    const one = unitNanos.get(unit) ?? 0n;
    const scale = 10n ** BigInt(fraction.length);
    const product = BigInt(whole + fraction) * one;
    if (product % scale !== 0n) return undefined;
    nanos += product / scale;
  }
  return text.startsWith('-') ? -nanos : nanos;
}
