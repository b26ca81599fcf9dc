import { compareVersions } from '../domain/candle.ts';
import type { Candle } from '../domain/candle.ts';
import type { Micros } from '../base/clock.ts';

/** After a restart a server repeats the last hour: 3,600 candles of the shortest timeframe. */
const mostRemembered = 4_096;

/** Remembers the closed candles of one series that were printed, so that repeats print nothing. */
export class PrintedCandles {
  readonly #printed = new Map<Micros, Candle>();
  readonly #firstOpenTime: Micros;

  /** Candles before `firstOpenTime` were not asked for. */
  constructor(firstOpenTime: Micros) {
    this.#firstOpenTime = firstOpenTime;
  }

  /** The open time of the latest one; undefined before the first. */
  get latest(): Micros | undefined {
    return this.#printed.size === 0 ? undefined : Math.max(...this.#printed.keys());
  }

  add(candle: Candle): void {
    this.#printed.delete(candle.openTime);
    this.#printed.set(candle.openTime, candle);
    const [oldest] = this.#printed.keys();
    if (this.#printed.size > mostRemembered && oldest !== undefined) this.#printed.delete(oldest);
  }

  /** Whether a candle that may have come before says anything new. */
  isNew(candle: Candle): boolean {
    if (candle.openTime < this.#firstOpenTime) return false;
    const known = this.#printed.get(candle.openTime);
    if (known === undefined) return true;
    return compareVersions(candle, known) > 0 && !isSameToTheEye(candle, known);
  }
}

/** A later run publishes what it read back as its own version, with nothing else changed. */
function isSameToTheEye(a: Candle, b: Candle): boolean {
  return (
    a.open === b.open &&
    a.high === b.high &&
    a.low === b.low &&
    a.close === b.close &&
    a.quoteVolume === b.quoteVolume &&
    a.tradeCount === b.tradeCount &&
    a.isComplete === b.isComplete &&
    a.isPartial === b.isPartial
  );
}
