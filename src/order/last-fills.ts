import type { Clock } from '../base/clock.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { ConsumedLevel } from './order-log.ts';

/** A ticker is on its way for so long at most. Later ones count: exchanges begin their ids anew. */
const longestLagMs = 10_000;

/**
 * What the fills in the log were decided on, while a shard has just been loaded. Whoever decided them,
 * another server or a question to the exchange, may have been ahead of our stream: an older ticker
 * would pass for a change of the level, and make what is used of it available again.
 */
export class LastFills {
  readonly #clock: Clock;
  readonly #untilMs: number;
  readonly #updateIds = new Map<InstrumentName, number>();

  constructor(consumed: readonly ConsumedLevel[], clock: Clock) {
    this.#clock = clock;
    this.#untilMs = clock.monotonicMs() + longestLagMs;
    for (const { instrument, updateId } of consumed) {
      this.#updateIds.set(instrument, Math.max(updateId, this.#updateIds.get(instrument) ?? 0));
    }
  }

  /** Whether a ticker is from before the last fill of its instrument. */
  areAfter({ instrument, updateId }: BookTicker): boolean {
    // Nothing more is looked at where it is over.
    if (this.#updateIds.size === 0) return false;
    if (updateId < (this.#updateIds.get(instrument) ?? 0)) {
      if (this.#clock.monotonicMs() < this.#untilMs) return true;
      this.#updateIds.clear();
    }
    return false;
  }
}
