import type { Micros } from '../base/clock.ts';
import type { ExchangeName } from '../domain/instrument.ts';
import { ExchangeClock } from './exchange-clock.ts';

/** One clock for each exchange: how far one is off, and how far away, says nothing of another. */
export class ExchangeClocks {
  readonly #toleranceMs: number;
  readonly #clocks = new Map<ExchangeName, ExchangeClock>();

  /** As ExchangeClock's. */
  constructor(toleranceMs: number) {
    this.#toleranceMs = toleranceMs;
  }

  /** The exchange's clock, the same one each time; it shows our time until something was observed. */
  of(exchange: ExchangeName): ExchangeClock {
    const existing = this.#clocks.get(exchange);
    if (existing !== undefined) return existing;
    const clock = new ExchangeClock(this.#toleranceMs);
    this.#clocks.set(exchange, clock);
    return clock;
  }

  /** Exchange time − our time, in µs, of every exchange that was asked for. */
  offsets(): ReadonlyMap<ExchangeName, Micros> {
    return new Map([...this.#clocks].map(([exchange, { offset }]) => [exchange, offset]));
  }
}
