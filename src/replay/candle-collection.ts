import type { Micros } from '../base/clock.ts';
import type { Candle } from '../domain/candle.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import { timeframes } from '../domain/timeframe.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import { Failure } from '../cli/failure.ts';

/** About 1 GB of memory. A day of one instrument in 1s candles is 86,400. */
const mostCandles = 2_000_000;

/** The last state of every candle of some timeframes. */
export class CandleCollection {
  readonly #wanted: ReadonlySet<Timeframe>;
  readonly #series = new Map<InstrumentName, Map<Timeframe, Map<Micros, Candle>>>();
  #count = 0;

  constructor(wanted: Iterable<Timeframe>) {
    this.#wanted = new Set(wanted);
  }

  /** @throws Failure when there are more candles than memory is meant for */
  put(candle: Candle): void {
    if (!this.#wanted.has(candle.timeframe)) return;
    const byTime = entry(
      entry(this.#series, candle.instrument, () => new Map<Timeframe, Map<Micros, Candle>>()),
      candle.timeframe,
      () => new Map<Micros, Candle>(),
    );
    const before = byTime.size;
    byTime.set(candle.openTime, candle);
    this.#count += byTime.size - before;
    if (this.#count > mostCandles) {
      throw new Failure(
        `There are more than ${mostCandles} candles in this: replay fewer files or larger timeframes at once`,
      );
    }
  }

  /** All, by (instrument, timeframe, open time); instruments by code points, timeframes by length. */
  *sorted(): Iterable<Candle> {
    const instruments = [...this.#series].toSorted(([a], [b]) => compareCodePoints(a, b));
    for (const [, byTimeframe] of instruments) {
      for (const timeframe of timeframes) {
        const byTime = byTimeframe.get(timeframe) ?? new Map<Micros, Candle>();
        yield* [...byTime.values()].toSorted((a, b) => a.openTime - b.openTime);
      }
    }
  }
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Not by locale: the same input gives the same bytes everywhere. */
function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
