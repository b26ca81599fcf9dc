import { backoffDelayMs } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { ExchangeRest, ListedInstrument } from './exchange.ts';
import { RestError } from './rest-error.ts';

/** What the exchange lists hardly ever changes and nothing waits for it. */
const backoff = { minimumMs: 5000, maximumMs: 600_000 };

export type ListedInstrumentsOptions = {
  readonly rest: ExchangeRest;
  readonly symbols: readonly string[];
  readonly settings: {
    /** How often it is asked for again. */
    readonly listEveryMs: number;
    /** Reconnects make it ask no more often than this. */
    readonly listAtMostEveryMs: number;
  };
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
};

/** Keeps what the exchange says of the instruments: their order sizes and whether they trade. */
export class ListedInstruments implements AsyncDisposable {
  readonly #options: ListedInstrumentsOptions;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #listed: ReadonlyMap<string, ListedInstrument> | undefined;
  #askedMs = -Infinity;
  #wake = () => {};

  constructor(options: ListedInstrumentsOptions) {
    this.#options = options;
    this.#running = options.symbols.length === 0 ? Promise.resolve() : this.#run();
  }

  /** What is listed, by symbol; empty as long as there was no answer. */
  get listed(): ReadonlyMap<string, ListedInstrument> {
    return this.#listed ?? new Map<string, ListedInstrument>();
  }

  /** Why a symbol does not trade; undefined where it does, or nothing is known yet. */
  troubleOf(symbol: string): string | undefined {
    if (this.#listed === undefined) return undefined;
    const instrument = this.#listed.get(symbol);
    return instrument === undefined ? 'The exchange does not list this symbol' : instrument.trouble;
  }

  /** Something has happened that may have changed it. */
  refresh(): void {
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, settings } = this.#options;
    const { signal } = this.#closing;
    try {
      for (;;) {
        this.#askedMs = clock.monotonicMs();
        await this.#ask(signal);
        await this.#sleep(settings.listEveryMs, signal);
        // A feed that loses all its connections wakes this once for each.
        const againMs = this.#askedMs + settings.listAtMostEveryMs - clock.monotonicMs();
        if (againMs > 0) await sleep(clock, againMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { rest, symbols, clock, random, logger } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        this.#take(await rest.listedInstruments(symbols, signal));
        return;
      } catch (error) {
        if (!(error instanceof RestError)) throw error;
        const delayMs = Math.round(backoffDelayMs(attempt, backoff, random));
        logger.warn({ problem: error.message, delayMs }, 'What is listed is not known yet');
        await sleep(clock, delayMs, signal);
      }
    }
  }

  #take(listed: ReadonlyMap<string, ListedInstrument>): void {
    const { symbols, logger } = this.#options;
    const before = new Map(symbols.map((symbol) => [symbol, this.troubleOf(symbol)]));
    this.#listed = listed;
    for (const symbol of symbols) {
      const trouble = this.troubleOf(symbol);
      if (trouble === before.get(symbol)) continue;
      if (trouble === undefined) logger.info({ symbol }, 'The symbol trades again');
      else logger.warn({ symbol, trouble }, 'The symbol does not trade');
    }
  }

  /** Until the time has passed or somebody wakes it. */
  async #sleep(delayMs: number, signal: AbortSignal): Promise<void> {
    const { promise: woken, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const waking = new AbortController();
    try {
      const either = AbortSignal.any([signal, waking.signal]);
      await Promise.race([woken, sleep(this.#options.clock, delayMs, either)]);
    } finally {
      waking.abort();
      this.#wake = () => {};
    }
  }
}
