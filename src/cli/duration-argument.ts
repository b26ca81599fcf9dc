import { create } from '@bufbuild/protobuf';
import type { Duration } from '@bufbuild/protobuf/wkt';
import { DurationSchema } from '@bufbuild/protobuf/wkt';
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../base/duration.ts';

/** "30s", "5m", "1h30m", as the contract has it. */
export function parseDurationArgument(text: string): Duration {
  const nanos = parseDuration(text);
  if (nanos === undefined || nanos <= 0n) {
    throw new InvalidArgumentError('Expected a duration like 30s, 5m or 1h30m.');
  }
  return create(DurationSchema, {
    seconds: nanos / 1_000_000_000n,
    nanos: Number(nanos % 1_000_000_000n),
  });
}
