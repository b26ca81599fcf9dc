import { backoffDelayMs } from '../base/backoff.ts';
import type { BackoffBounds } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import type { Clock, Micros } from '../base/clock.ts';
import type { Allowance } from './allowance.ts';
import { fetchJson, Unusable } from './fetch-json.ts';
import { RestError } from './rest-error.ts';
import { stopOf } from './stop.ts';

export type RestSettings = {
  readonly restBaseUrl: string;
  /** Questions that are asked at the same time. */
  readonly restConcurrency: number;
  /** Questions that wait for their turn; one more is refused as busy. */
  readonly restWaitingLimit: number;
  /** The longest wait for the allowance; where it would be longer, the question is refused. */
  readonly restMaximumWaitMs: number;
  readonly restTimeoutMs: number;
  /** A longer body, unpacked, is not read to its end. */
  readonly restBodyLimitBytes: number;
  /** How often a question is asked in all when there is no usable answer. */
  readonly restAttempts: number;
  readonly restBackoff: BackoffBounds;
  /** How long an address that forbids access is left alone where it names no time. */
  readonly stopMs: number;
};

export type RestClientOptions = {
  readonly settings: RestSettings;
  readonly allowance: Allowance;
  readonly usedWeightHeader: string | undefined;
  /** The exchange's own count of this minute's weight at which we pause until the next minute. */
  readonly pauseAtUsedWeight: number;
  readonly clock: Clock;
  readonly random: () => number;
};

export type RestQuestion = {
  /** Path and query, behind the base URL. */
  readonly path: string;
  readonly weight: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the answer's text, where JSON.parse will not do. */
  readonly parse?: (text: string) => unknown;
  readonly signal: AbortSignal;
};

/** `askedTime` is when the question went out that this is the answer to. */
export type RestAnswer = { readonly body: unknown; readonly askedTime: Micros };

/** Asks one exchange's REST interface, within its limits whoever asks. */
export class RestClient {
  readonly clock: Clock;
  readonly #options: RestClientOptions;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: RestClientOptions) {
    this.#options = options;
    this.clock = options.clock;
  }

  /**
   * Asks, and asks again with back-off where there was no usable answer.
   * @throws RestError, or the signal's reason
   */
  async get(question: RestQuestion): Promise<RestAnswer> {
    await this.#enter();
    try {
      question.signal.throwIfAborted();
      const { settings, random } = this.#options;
      for (let attempt = 0; ; attempt++) {
        await this.#takeWeight(question);
        const result = await this.#askOnce(question);
        if ('body' in result) return result;
        if (attempt + 1 >= settings.restAttempts) {
          throw new RestError('failed', `${question.path}: ${result.problem}`);
        }
        const delayMs = backoffDelayMs(attempt, settings.restBackoff, random);
        await sleep(this.clock, delayMs, question.signal);
      }
    } finally {
      this.#leave();
    }
  }

  async #askOnce(question: RestQuestion): Promise<RestAnswer | { readonly problem: string }> {
    const { allowance, settings } = this.#options;
    const askedTime = this.clock.now();
    try {
      const url = settings.restBaseUrl + question.path;
      const { status, header, body } = await fetchJson(url, {
        clock: this.clock,
        signal: question.signal,
        headers: question.headers ?? {},
        parse: question.parse,
        timeoutMs: settings.restTimeoutMs,
        bodyLimitBytes: settings.restBodyLimitBytes,
      });
      const { usedWeightHeader } = this.#options;
      if (usedWeightHeader !== undefined) this.#heedUsedWeight(header(usedWeightHeader));
      const stop = stopOf(
        { status, retryAfter: header('retry-after') },
        { stopMs: settings.stopMs, now: this.clock.now() },
      );
      if (stop !== undefined) {
        allowance.stop(stop);
        return { problem: stop.reason };
      }
      if (status >= 500) return { problem: `HTTP ${status}` };
      if (status !== 200) throw new RestError('refused', `${question.path}: HTTP ${status}`);
      return { body: body(), askedTime };
    } catch (error) {
      if (error instanceof Unusable) return { problem: error.message };
      throw error;
    }
  }

  async #takeWeight({ path, weight, signal }: RestQuestion): Promise<void> {
    const { allowance, settings } = this.#options;
    for (let waitedMs = 0; ;) {
      const waitMs = allowance.take(weight);
      if (waitMs === 0) return;
      if (waitedMs + waitMs > settings.restMaximumWaitMs) {
        const reason = allowance.currentStop?.reason ?? 'The weight of this minute is used';
        throw new RestError('stopped', `${path}: ${reason}`);
      }
      await sleep(this.clock, waitMs, signal);
      waitedMs += waitMs;
    }
  }

  /** Others at our address use the same weight, and only the exchange sees them. */
  #heedUsedWeight(text: string | undefined): void {
    const used = Number(text);
    if (!(used >= this.#options.pauseAtUsedWeight)) return;
    const durationMs = 60_000 - ((this.clock.now() / 1000) % 60_000);
    const reason = 'Half of the weight of this minute is used by this address';
    this.#options.allowance.stop({ durationMs, reason });
  }

  async #enter(): Promise<void> {
    const { restConcurrency, restWaitingLimit } = this.#options.settings;
    if (this.#running < restConcurrency) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= restWaitingLimit) {
      throw new RestError('busy', `${restWaitingLimit} questions wait already`);
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Hands the place on to the next in line, if there is one. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}
