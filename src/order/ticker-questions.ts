import type { Clock, Timer } from '../base/clock.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { OrderCounters } from './order-counters.ts';
import type { OrderMarket } from './order-market.ts';
import type { ShardSession } from './shard-session.ts';

/** Where the exchange could not tell, or told what has grown old again, it is asked no sooner. */
const askAgainMs = 5_000;

export type TickerQuestionsOptions = {
  readonly market: Pick<OrderMarket, 'askTicker'>;
  readonly clock: Clock;
  readonly counters: OrderCounters;
  readonly sessionOf: (instrument: InstrumentName) => ShardSession | undefined;
};

/** Asks for fresh tickers where orders would be filled by old ones: one question at a time for each. */
export class TickerQuestions implements Disposable {
  readonly #options: TickerQuestionsOptions;
  readonly #underWay = new Set<InstrumentName>();
  /** Until the next question may go out. */
  readonly #pauses = new Map<InstrumentName, Timer>();
  #isClosed = false;

  constructor(options: TickerQuestionsOptions) {
    this.#options = options;
  }

  /** The answer goes to the session that there is by then. */
  ask(instrument: InstrumentName): void {
    if (this.#isClosed || this.#underWay.has(instrument)) return;
    this.#underWay.add(instrument);
    void this.#ask(instrument);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const timer of this.#pauses.values()) timer[Symbol.dispose]();
  }

  async #ask(instrument: InstrumentName): Promise<void> {
    const { market, clock, counters, sessionOf } = this.#options;
    const isPaused = this.#pauses.has(instrument);
    if (!isPaused) counters.tickersAsked++;
    // Who asks is answered later, in any case.
    const ticker = isPaused ? await Promise.resolve(undefined) : await market.askTicker(instrument);
    this.#underWay.delete(instrument);
    if (this.#isClosed) return;
    if (!isPaused) {
      const timer = clock.setTimer(askAgainMs, () => {
        this.#pauses.delete(instrument);
        sessionOf(instrument)?.lookAgain(instrument);
      });
      this.#pauses.set(instrument, timer);
    }
    sessionOf(instrument)?.handleAnswer(instrument, ticker);
  }
}
