import type { DescEnum } from '@bufbuild/protobuf';
import { TimeframeSchema } from '../../../gen/tradewind/market/v1/candle_pb.ts';
import { timeframes } from '../../domain/timeframe.ts';
import { timeframeToMessage } from '../messages.ts';

/** Names that people use and that an enum's own cannot be: "1m", and "1M" beside it. */
const spoken: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map([
  [
    TimeframeSchema.typeName,
    new Map(timeframes.map((timeframe) => [timeframe, timeframeToMessage(timeframe)])),
  ],
]);

/**
 * The number of an enum value by any name that requests may use: SIDE_BUY, BUY, buy; of a timeframe
 * 1m as well. undefined: it has no such value.
 */
export function enumNumber(desc: DescEnum, text: string): number | undefined {
  return (
    spoken.get(desc.typeName)?.get(text) ??
    desc.values.find(
      (value) => text === value.name || text === value.localName || text === short(value),
    )?.number
  );
}

/** The shortest name of each value, but of the unspecified one, in the contract's order. */
export function enumTexts(desc: DescEnum): readonly string[] {
  return [...(spoken.get(desc.typeName)?.keys() ?? named(desc).map(short))];
}

function named(desc: DescEnum): DescEnum['values'] {
  return desc.values.filter(({ number }) => number !== 0);
}

function short({ localName }: DescEnum['values'][number]): string {
  return localName.toLowerCase();
}
