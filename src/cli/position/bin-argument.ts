import { InvalidArgumentError } from 'commander';
import { BinUnit } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { parseDuration } from '../../base/duration.ts';
import type { Duration } from '../duration-argument.ts';

/** How wide a bin is, as the contract has it. */
export type Bin =
  | { readonly case: 'binWidth'; readonly value: Duration }
  | { readonly case: 'binUnit'; readonly value: BinUnit };

/** "1s", "5m", "1h", "1d", "7d"; "1w" is a week, "1M" a calendar month. */
export function parseBin(text: string): Bin {
  if (text === '1M' || text === '1mo') return { case: 'binUnit', value: BinUnit.MONTH };
  const nanos = parseDuration(text === '1w' ? '7d' : text);
  if (nanos === undefined || nanos <= 0n || nanos % 1_000_000_000n !== 0n) {
    throw new InvalidArgumentError('Expected a width like 1s, 5m, 1h, 1d, 1w or 1M.');
  }
  return { case: 'binWidth', value: { seconds: nanos / 1_000_000_000n, nanos: 0 } };
}
