import type { Micros } from '../base/clock.ts';

const bucketLength = 60_000_000;
const buckets = 10;

/**
 * What an exchange's clock shows, seen from ours: our time plus the largest difference between when
 * the exchange sent an event and when we received it, over the last ten minutes. The largest is the
 * one with the least delay on the way, so that it is never ahead of the exchange.
 */
export class ExchangeClock {
  readonly #tolerance: Micros;
  /** The largest difference of each of the last minutes, by minute. */
  readonly #largest = new Map<number, Micros>();
  #minute = -1;
  #offset: Micros = 0;

  /** Differences of more than `toleranceMs` are not believed: such an event's time is wrong. */
  constructor(toleranceMs: number) {
    this.#tolerance = toleranceMs * 1000;
  }

  /** Exchange time − our time. */
  get offset(): Micros {
    return this.#offset;
  }

  observe(eventTime: Micros, receivedTime: Micros): void {
    const difference = eventTime - receivedTime;
    if (Math.abs(difference) > this.#tolerance) return;
    const minute = Math.floor(receivedTime / bucketLength);
    const largest = this.#largest.get(minute);
    if (largest !== undefined && difference <= largest) return;
    this.#largest.set(minute, difference);
    if (minute !== this.#minute) {
      this.#minute = minute;
      for (const old of this.#largest.keys()) {
        if (old <= minute - buckets) this.#largest.delete(old);
      }
    }
    this.#offset = Math.max(...this.#largest.values());
  }

  /** The exchange's time when ours is `time`. */
  at(time: Micros): Micros {
    return time + this.#offset;
  }

  /** Whether the exchange can have said this when our time was `receivedTime`. */
  isPlausible(exchangeTime: Micros, receivedTime: Micros): boolean {
    return exchangeTime > 0 && exchangeTime <= this.at(receivedTime) + this.#tolerance;
  }
}
