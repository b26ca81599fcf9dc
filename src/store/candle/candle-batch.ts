import type { Candle } from '../../domain/candle.ts';
import { compareVersions } from '../../domain/candle.ts';
import type { Gap } from '../../domain/gap.ts';
import type { CandleRow } from './candle-row.ts';
import { candleToRow } from './candle-row.ts';
import type { Partition } from './partition.ts';
import { PartitionFinder } from './partition.ts';

/** What is stored at once: all of it or, after a failure, nothing. */
export type CandleBatch = {
  /** Closed ones, in any order; of versions of the same candle the best one is stored. */
  readonly candles: readonly Candle[];
  readonly gaps: readonly Gap[];
  /** Where in the stream the batch ends, and whose cursor that is. */
  readonly cursor?: { readonly name: string; readonly value: string };
};

/** A candle or gap that the database will never take, and why. */
export type RefusedItem = { readonly item: Candle | Gap; readonly reason: string };

/** A candle ready to be stored. */
export type EncodedCandle = {
  readonly candle: Candle;
  readonly row: CandleRow;
  readonly partition: Partition;
};

/** A part of a batch that goes to the database in one transaction. */
export type BatchPiece = {
  readonly candles: readonly EncodedCandle[];
  /** Of the candles, when they are made already. */
  readonly columns?: readonly string[];
  readonly gaps: readonly Gap[];
  readonly cursor: CandleBatch['cursor'];
};

/**
 * A transaction locks each partition it touches, table and index, and Postgres has a fixed number
 * of locks for all (64 × max_connections by default).
 */
const partitionsPerTransaction = 200;

/** Encodes the candles; those that cannot be are handed to `refuse`. */
export function encodeCandles(
  candles: readonly Candle[],
  refuse: (item: RefusedItem) => void,
): EncodedCandle[] {
  const encoded: EncodedCandle[] = [];
  const partitions = new PartitionFinder();
  for (const candle of bestVersions(candles)) {
    try {
      const row = candleToRow(candle);
      encoded.push({ candle, row, partition: partitions.find(candle.timeframe, candle.openTime) });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      refuse({ item: candle, reason: error.message });
    }
  }
  return encoded;
}

/** One statement must not touch a row twice. */
function bestVersions(candles: readonly Candle[]): Iterable<Candle> {
  const best = new Map<string, Candle>();
  for (const candle of candles) {
    const key = `${candle.instrument} ${candle.timeframe} ${candle.openTime}`;
    const other = best.get(key);
    if (other === undefined || compareVersions(candle, other) > 0) best.set(key, candle);
  }
  return best.values();
}

/** The order in which a gap's states replace each other. */
const gapStates: readonly Gap['state'][] = ['open', 'absent', 'filled'];

export function lastStates(gaps: readonly Gap[]): Gap[] {
  const last = new Map<string, Gap>();
  for (const gap of gaps) {
    const key = `${gap.instrument} ${gap.firstMissingId} ${gap.lastMissingId}`;
    const other = last.get(key);
    if (other === undefined || gapStates.indexOf(gap.state) > gapStates.indexOf(other.state)) {
      last.set(key, gap);
    }
  }
  return [...last.values()];
}

/**
 * Cuts a batch into pieces of not too many partitions; the last one carries gaps and cursor. All
 * writers store in the same order, so that two of them never wait for each other in a circle.
 */
export function cutIntoPieces(
  candles: readonly EncodedCandle[],
  gaps: readonly Gap[],
  cursor: CandleBatch['cursor'],
): BatchPiece[] {
  const pieces: BatchPiece[] = [];
  let piece: EncodedCandle[] = [];
  let partitions = new Set<string>();
  for (const candle of candles.toSorted(byPlace)) {
    if (!partitions.has(candle.partition.name) && partitions.size === partitionsPerTransaction) {
      pieces.push({ candles: piece, gaps: [], cursor: undefined });
      piece = [];
      partitions = new Set();
    }
    partitions.add(candle.partition.name);
    piece.push(candle);
  }
  return [...pieces, { candles: piece, gaps, cursor }];
}

function byPlace(a: EncodedCandle, b: EncodedCandle): number {
  return (
    compareTexts(a.partition.name, b.partition.name) ||
    compareTexts(a.candle.instrument, b.candle.instrument) ||
    a.candle.openTime - b.candle.openTime
  );
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Halves a piece that holds something the database refuses; one of a single item gives nothing. */
export function halve({ candles, gaps, cursor }: BatchPiece): BatchPiece[] {
  if (candles.length + gaps.length <= 1) return [];
  if (candles.length > 0 && gaps.length > 0) {
    return [
      { candles, gaps: [], cursor: undefined },
      { candles: [], gaps, cursor },
    ];
  }
  const candleMiddle = candles.length >> 1;
  const gapMiddle = gaps.length >> 1;
  return [
    {
      candles: candles.slice(0, candleMiddle),
      gaps: gaps.slice(0, gapMiddle),
      cursor: undefined,
    },
    { candles: candles.slice(candleMiddle), gaps: gaps.slice(gapMiddle), cursor },
  ];
}
