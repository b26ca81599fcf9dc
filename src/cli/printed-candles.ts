import { compareVersions } from '../domain/candle.ts';
import type { Candle } from '../domain/candle.ts';
import type { Micros } from '../base/clock.ts';

/** After a restart a server repeats the last hour: 3,600 candles of the shortest timeframe. */
const mostRemembered = 4_096;

/**
 * Remembers the closed candles of one series that were printed: what is printed goes on in time, and
 * repeats print nothing. A server that reads its history publishes what is long past.
 */
export class PrintedCandles {
  readonly #printed = new Map<Micros, Candle>();
  #firstOpenTime: Micros;

  /** Candles before `firstOpenTime` were not asked for. */
  constructor(firstOpenTime: Micros) {
    this.#firstOpenTime = firstOpenTime;
  }

  /** The earliest open time that is of interest now: that of the latest one that was printed. */
  get firstOpenTime(): Micros {
    return this.#firstOpenTime;
  }

  add(candle: Candle): void {
    const isFirst = this.#printed.size === 0;
    const { openTime } = candle;
    this.#firstOpenTime = isFirst ? openTime : Math.max(this.#firstOpenTime, openTime);
    this.#printed.delete(openTime);
    this.#printed.set(openTime, candle);
    const [oldest] = this.#printed.keys();
    if (this.#printed.size > mostRemembered && oldest !== undefined) this.#printed.delete(oldest);
  }

  /**
   * Whether a candle comes after those that were printed, or is a better version of one of them; one
   * that may have come before (`isRepeat`) only where that shows.
   */
  isNew(candle: Candle, isRepeat: boolean): boolean {
    const known = this.#printed.get(candle.openTime);
    if (known === undefined) return candle.openTime >= this.#firstOpenTime;
    if (compareVersions(candle, known) <= 0) return false;
    return !isRepeat || !isSameToTheEye(candle, known);
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
