import { backoffDelayMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { LogLimiter } from '../base/log-limiter.ts';
import type { Logger } from '../base/logger.ts';
import type { LastTrade, MarketEventHandler } from '../domain/market-event.ts';
import type { Allowance } from './allowance.ts';
import type { ExchangeRest } from './exchange.ts';
import type { FeedBounds } from './feed-settings.ts';
import { RestError } from './rest-error.ts';

export type LastTradeQuestionsOptions = {
  readonly symbols: readonly string[];
  readonly rest: ExchangeRest;
  readonly handle: MarketEventHandler;
  /** Told of each answer, after `handle`; undefined: the instrument has never traded. */
  readonly answered: (symbol: string, answer: LastTrade | undefined) => void;
  /** For what is asked only because nothing comes. */
  readonly probes: Allowance;
  readonly settings: FeedBounds;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly logLimiter: LogLimiter;
};

type Question = {
  isAsked: boolean;
  isAnswered: boolean;
  failures: number;
  /** When it may be asked again, by the monotonic clock. */
  dueMs: number;
};

function newQuestion(): Question {
  return { isAsked: false, isAnswered: false, failures: 0, dueMs: 0 };
}

/** Fewer would be impatient with an exchange that has trouble, and there is the tape meanwhile. */
const retryBackoff = { minimumMs: 2000, maximumMs: 60_000 };

/**
 * Asks for the last trade of each instrument of one open connection: once when it opens, until
 * there is an answer, and again and again while it is silent. The answers are the evidence that
 * silence means quiet.
 */
export class LastTradeQuestions implements Disposable {
  readonly #options: LastTradeQuestionsOptions;
  /** The one that was asked longest ago first. */
  readonly #questions = new Map<string, Question>();
  readonly #closing = new AbortController();

  constructor(options: LastTradeQuestionsOptions) {
    this.#options = options;
    for (const symbol of options.symbols) {
      this.#questions.set(symbol, newQuestion());
    }
    this.tick(() => false);
  }

  /** The last answer is worth nothing any more: asks until there is another one. */
  again(symbol: string): void {
    if (this.#questions.has(symbol)) this.#questions.set(symbol, newQuestion());
  }

  /** To be called steadily. */
  tick(isSilent: (symbol: string) => boolean): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [symbol, question] of this.#questions) {
      if (question.isAsked || nowMs < question.dueMs) continue;
      if (question.isAnswered) {
        if (!isSilent(symbol)) continue;
        if (this.#options.probes.take(this.#options.rest.lastTradeWeight) > 0) break;
      }
      // To the end of the line, where this loop meets it again and passes by.
      question.isAsked = true;
      this.#questions.delete(symbol);
      this.#questions.set(symbol, question);
      void this.#ask(symbol, question);
    }
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  async #ask(symbol: string, question: Question): Promise<void> {
    const { rest, handle, answered, clock, settings } = this.#options;
    const { signal } = this.#closing;
    const askedMs = clock.monotonicMs();
    let answer: LastTrade | undefined;
    try {
      answer = await rest.lastTrade(symbol, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RestError)) throw error;
      this.#fail(symbol, question, error);
      return;
    }
    // What was asked before `again` is answered too late.
    if (signal.aborted || this.#questions.get(symbol) !== question) return;
    question.isAsked = false;
    question.isAnswered = true;
    question.failures = 0;
    question.dueMs = askedMs + settings.probeAfterMs;
    if (answer !== undefined) handle(answer);
    answered(symbol, answer);
  }

  #fail(symbol: string, question: Question, error: RestError): void {
    const { clock, random, logger, logLimiter } = this.#options;
    const delayMs = backoffDelayMs(question.failures++, retryBackoff, random);
    question.isAsked = false;
    question.dueMs = clock.monotonicMs() + delayMs;
    const due = logLimiter.due(error.kind);
    if (due !== undefined) {
      const problem = error.message;
      logger.warn({ symbol, problem, delayMs, ...due }, 'The last trade is not known');
    }
  }
}
