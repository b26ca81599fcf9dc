import type { Micros } from '../base/clock.ts';
import { CandleSum } from '../domain/candle-sum.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { Window } from './price-window.ts';
import type { Piece } from './second-blocks.ts';

const second: Micros = 1_000_000;

/**
 * The lengths that a window is put together from, each a multiple of the one before: so any window
 * has few pieces, at most 22 besides its days. Two of them are no timeframe: without them one that
 * begins within a minute would have up to 59 seconds.
 */
export const levels: readonly {
  readonly length: Micros;
  readonly timeframe: Timeframe | undefined;
}[] = [
  { length: second, timeframe: '1s' },
  { length: 5 * second, timeframe: undefined },
  { length: 15 * second, timeframe: undefined },
  { length: 60 * second, timeframe: '1m' },
  { length: 300 * second, timeframe: '5m' },
  { length: 900 * second, timeframe: '15m' },
  { length: 1_800 * second, timeframe: '30m' },
  { length: 3_600 * second, timeframe: '1h' },
  { length: 7_200 * second, timeframe: '2h' },
  { length: 14_400 * second, timeframe: '4h' },
  { length: 43_200 * second, timeframe: '12h' },
  { length: 86_400 * second, timeframe: '1d' },
];

/** The same in seconds: the remainder of small integers is several times as fast. */
const seconds = levels.map(({ length }) => length / second);

/** Where pieces come from: what is held in memory, or what was read from the store. */
export interface PieceSource {
  /** The piece of a level that opens at `time`; undefined where there is none. */
  at(level: number, time: Micros): Piece | undefined;
  /** Up to where it reaches: an open one to what is known. */
  endOf(level: number, piece: Piece): Micros;
  /** Whether all trades are in it, as far as is known. */
  isWhole(piece: Piece): boolean;
  /** Whether none is known to be missing; one that is not whole may have begun before it was observed. */
  isComplete(piece: Piece): boolean;
  /** When the next piece of a level after `time` opens; Infinity where none does. */
  nextOpen(level: number, time: Micros): Micros;
}

/** What the pieces of a window sum up to, and what of the window they are. */
export type WindowSum = {
  readonly sum: CandleSum;
  /** The first covered instant; the window's end where nothing is covered. */
  from: Micros;
  /** The end of what is covered; the window's start where nothing is. */
  to: Micros;
  /** Whether all of the window is covered by whole pieces. */
  isWhole: boolean;
  /** Whether trades are known to be missing from what is covered. */
  lacksTrades: boolean;
  /** What shorter or other candles may tell more of, in order. */
  readonly lacks: Window[];
};

/**
 * Puts a window together from the longest whole pieces that fit, the first source's before the next
 * one's. Where there is no whole one, the shortest counts, since it says the most exactly what it is.
 */
export function sumWindow(sources: readonly PieceSource[], { from, to }: Window): WindowSum {
  const result: WindowSum = {
    sum: new CandleSum(),
    from: to,
    to: from,
    isWhole: true,
    lacksTrades: false,
    lacks: [],
  };
  for (let time = from; time < to;) {
    const end = addWhole(result, sources, time, to) ?? addPart(result, sources, time, to);
    if (end === undefined) {
      const next = Math.min(to, ...levels.map((_, level) => nextOpen(sources, level, time)));
      lack(result, time, next);
      time = next;
    } else {
      if (result.from === to) result.from = time;
      result.to = end;
      time = end;
    }
  }
  return result;
}

/** Adds the longest whole piece that opens at `time` and fits; answers its end. */
function addWhole(
  { sum }: WindowSum,
  sources: readonly PieceSource[],
  time: Micros,
  to: Micros,
): Micros | undefined {
  for (let level = longestAt(time); level >= 0; level--) {
    for (const source of sources) {
      const piece = source.at(level, time);
      if (piece === undefined || !source.isWhole(piece)) continue;
      const end = source.endOf(level, piece);
      if (end > to || end <= time) continue;
      sum.mergePrices(piece.sum);
      return end;
    }
  }
  return undefined;
}

/**
 * Adds the shortest piece that opens at `time`, though trades are missing from it; none where seconds
 * are known within it, which say better from when on.
 */
function addPart(
  result: WindowSum,
  sources: readonly PieceSource[],
  time: Micros,
  to: Micros,
): Micros | undefined {
  const secondsFrom = nextOpen(sources, 0, time);
  for (let level = 0; level <= longestAt(time); level++) {
    let best: Piece | undefined;
    let end = 0;
    let isComplete = true;
    for (const source of sources) {
      const piece = source.at(level, time);
      if (piece === undefined || piece.sum.tradeCount < (best?.sum.tradeCount ?? 0)) continue;
      const pieceEnd = source.endOf(level, piece);
      if (pieceEnd > to || pieceEnd <= time) continue;
      best = piece;
      end = pieceEnd;
      isComplete = source.isComplete(piece);
    }
    if (best === undefined) continue;
    if (level > 0 && secondsFrom < end) return undefined;
    result.sum.mergePrices(best.sum);
    // Of a second nobody knows more.
    if (level > 0) lack(result, time, end);
    result.isWhole = false;
    if (!isComplete) result.lacksTrades = true;
    return end;
  }
  return undefined;
}

function nextOpen(sources: readonly PieceSource[], level: number, time: Micros): Micros {
  return Math.min(...sources.map((source) => source.nextOpen(level, time)));
}

function longestAt(time: Micros): number {
  const at = Math.round(time / second);
  let level = 0;
  while (level + 1 < seconds.length && at % (seconds[level + 1] as number) === 0) level++;
  return level;
}

function lack(result: WindowSum, from: Micros, to: Micros): void {
  result.isWhole = false;
  const { lacks } = result;
  const last = lacks.at(-1);
  if (last?.to === from) lacks[lacks.length - 1] = { from: last.from, to };
  else lacks.push({ from, to });
}
