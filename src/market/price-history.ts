import type { Micros } from '../base/clock.ts';
import { CandleSum } from '../domain/candle-sum.ts';
import type { Candle } from '../domain/candle.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import { levels, sumWindow } from './price-pieces.ts';
import type { PieceSource, WindowSum } from './price-pieces.ts';
import type { Window } from './price-window.ts';
import type { Piece } from './second-blocks.ts';

/** Where closed candles are stored, as statistics of prices ask for them. */
export interface StoredPrices {
  /**
   * The candles that open within the window, whole ones or not, the newest `limit`.
   * @throws Refusal unavailable when the store does not answer
   */
  newest(
    instrument: InstrumentName,
    timeframe: Timeframe,
    window: Window & { readonly limit: number },
  ): Promise<readonly Candle[]>;
}

/** The timeframes that are read, longest first: 30 days are 22 days and at most 46 hours each way. */
const read: readonly Timeframe[] = ['1d', '1h', '1m', '1s'];
/** Of one timeframe, candles at most: a month of hours, a day of minutes; some 10 ms of reading. */
const mostCandles = 1_500;
/** Spans of one timeframe that are read at most, the latest first. */
const mostSpans = 8;

/**
 * Sums a window of which memory holds not all: what is lacking is read as the longest candles that
 * fit, and what is lacking still as shorter ones. Memory goes on meanwhile: it is looked at anew each
 * time, so that what is answered stands together.
 * @throws what the store says
 */
export async function sumStoredWindow(
  stored: StoredPrices,
  instrument: InstrumentName,
  memory: () => PieceSource,
  window: Window,
): Promise<WindowSum> {
  const pieces = new StoredPieces();
  let result = sumWindow([memory()], window);
  for (const timeframe of read) {
    const level = levels.findIndex((each) => each.timeframe === timeframe);
    const spans = result.lacks
      .map((span) => inner(span, levels[level]?.length ?? 1))
      .filter(({ from, to }) => from < to)
      .slice(-mostSpans);
    if (spans.length === 0) continue;
    const found = await Promise.all(
      spans.map((span) => stored.newest(instrument, timeframe, { ...span, limit: mostCandles })),
    );
    for (const candle of found.flat()) pieces.add(level, candle);
    result = sumWindow([memory(), pieces], window);
  }
  return result;
}

/** The whole candles of a length in a span. */
function inner({ from, to }: Window, length: Micros): Window {
  return { from: Math.ceil(from / length) * length, to: Math.floor(to / length) * length };
}

/** Candles that were read, as pieces of a window. */
class StoredPieces implements PieceSource {
  readonly #byLevel = levels.map(() => new Map<Micros, Piece>());
  readonly #incomplete = new Set<Piece>();

  add(level: number, candle: Candle): void {
    const { openTime, closeTime, isComplete, isPartial } = candle;
    const wholeThrough = isComplete && !isPartial ? closeTime : openTime;
    const piece = { sum: CandleSum.of(candle), closeTime, wholeThrough };
    this.#byLevel[level]?.set(openTime, piece);
    if (!isComplete) this.#incomplete.add(piece);
  }

  at(level: number, time: Micros): Piece | undefined {
    return this.#byLevel[level]?.get(time);
  }

  endOf(_level: number, { closeTime }: Piece): Micros {
    return closeTime;
  }

  isWhole({ closeTime, wholeThrough }: Piece): boolean {
    return wholeThrough >= closeTime;
  }

  isComplete(piece: Piece): boolean {
    return !this.#incomplete.has(piece);
  }

  nextOpen(level: number, time: Micros): Micros {
    let next = Infinity;
    for (const openTime of this.#byLevel[level]?.keys() ?? []) {
      if (openTime > time && openTime < next) next = openTime;
    }
    return next;
  }
}
