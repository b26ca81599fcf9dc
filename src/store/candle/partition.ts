import type { Micros } from '../../base/clock.ts';
import type { Timeframe } from '../../domain/timeframe.ts';
import { timeframes } from '../../domain/timeframe.ts';

/** One partition of the table candle: candles that open in [from, to). */
export type Partition = {
  readonly name: string;
  readonly timeframe: Timeframe;
  readonly from: Micros;
  readonly to: Micros;
};

const dayMs = 86_400_000;

/** The table that holds the partitions of a timeframe; table names are lower case, so 1M is 1mo. */
export function timeframeTable(timeframe: Timeframe): string {
  return `candle_${timeframe === '1M' ? '1mo' : timeframe}`;
}

/** The partition that a candle belongs to: of a day for 1s, of a month for all others. */
export function partitionOf(timeframe: Timeframe, openTime: Micros): Partition {
  const table = timeframeTable(timeframe);
  const date = new Date(openTime / 1000);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  const digits = date.toISOString().slice(0, 10).replaceAll('-', '');
  if (timeframe === '1s') {
    const from = Date.UTC(year, month, date.getUTCDate());
    return { name: `${table}_${digits}`, timeframe, from: from * 1000, to: (from + dayMs) * 1000 };
  }
  return {
    name: `${table}_${digits.slice(0, 6)}`,
    timeframe,
    from: Date.UTC(year, month, 1) * 1000,
    to: Date.UTC(year, month + 1, 1) * 1000,
  };
}

/** The partition of this name, or undefined when it is not one's name. */
export function partitionNamed(name: string): Partition | undefined {
  const [, table, year, month, day = '01'] =
    /^(candle_[0-9a-z]+)_(\d{4})(\d\d)(\d\d)?$/u.exec(name) ?? [];
  const timeframe = timeframes.find((timeframe) => timeframeTable(timeframe) === table);
  if (timeframe === undefined) return undefined;
  const openTime = Date.UTC(Number(year), Number(month) - 1, Number(day)) * 1000;
  const partition = partitionOf(timeframe, openTime);
  return partition.name === name ? partition : undefined;
}

/** Finds the partitions of many candles, most of which lie in the same few. */
export class PartitionFinder {
  readonly #last = new Map<Timeframe, Partition>();

  find(timeframe: Timeframe, openTime: Micros): Partition {
    const last = this.#last.get(timeframe);
    if (last !== undefined && openTime >= last.from && openTime < last.to) return last;
    const partition = partitionOf(timeframe, openTime);
    this.#last.set(timeframe, partition);
    return partition;
  }
}
