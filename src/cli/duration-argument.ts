import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../base/duration.ts';

/** A length of time, as the contract has it. */
export type Duration = { readonly seconds: bigint; readonly nanos: number };

/** "30s", "5m", "1h30m". */
export function parseDurationArgument(text: string): Duration {
  const nanos = parseDuration(text);
  if (nanos === undefined || nanos <= 0n) {
    throw new InvalidArgumentError('Expected a duration like 30s, 5m or 1h30m.');
  }
  return { seconds: nanos / 1_000_000_000n, nanos: Number(nanos % 1_000_000_000n) };
}
