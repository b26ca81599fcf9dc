import { backoffDelayMs } from '../base/backoff.ts';
import { repeat, sleep } from '../base/clock.ts';
import type { Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Gap } from '../domain/gap.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import { fillGap } from './fill-gap.ts';
import { readHistory } from './read-history.ts';
import type { HistoryParts } from './read-history.ts';
import { RestError } from './rest-error.ts';

export type RecoveryOptions = HistoryParts & {
  readonly random: () => number;
  readonly logger: Logger;
  /** How often what is stored is held against the exchange's klines. */
  readonly reconcilePeriodMs: number;
};

/** What is to be done for one instrument, in order. */
type Job = { readonly type: 'history'; readonly since: Micros | undefined } | Gap;

/** More gaps than this of one instrument are one large one: its history is read instead. */
const maximumGaps = 100;
/** A gap of more trades is cheaper to mend by klines; a page has a thousand. */
const maximumTrades = 200_000;
/** Instruments that are worked on at the same time: the others wait, live trades do not. */
const concurrency = 3;
/**
 * Where ids do not show it, a trade that was not told is found after so long. Kraken answers a
 * question a second: fifty instruments leave it time for others.
 */
const unprovenPeriodMs = 60_000;
/** How long somebody waits for the history at most. */
const patienceMs = 15_000;
const retryBackoff = { minimumMs: 1_000, maximumMs: 60_000 };

/**
 * Mends what an exchange's feed missed: fills gaps from its REST interface, reads the time before the
 * start and while nobody was looking, and reads again what the store lacks. Live trades never wait
 * for it, nor one instrument for another's.
 */
export class Recovery implements AsyncDisposable {
  readonly #options: RecoveryOptions;
  readonly #jobs = new Map<InstrumentName, Job[]>();
  readonly #working = new Map<InstrumentName, Promise<void>>();
  /** How often in a row an instrument's jobs have failed, and what ends the pause after that. */
  readonly #attempts = new Map<InstrumentName, number>();
  readonly #wake = new Map<InstrumentName, () => void>();
  readonly #closing = new AbortController();
  readonly #timer: Disposable;
  /** Instruments whose history is read in this run, once. */
  readonly #known = new Set<InstrumentName>();
  /** Those of them whose history has not been read yet. */
  readonly #unread = new Set<InstrumentName>();
  readonly #read = Promise.withResolvers<void>();
  /** Since when the trades are to be read again, where ids do not show which are missing. */
  readonly #unprovenSince = new Map<InstrumentName, Micros>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
    const { clock, rest, reconcilePeriodMs } = options;
    const isProven = rest.facts.idOrder === 'contiguous';
    const periodMs = isProven ? reconcilePeriodMs : Math.min(reconcilePeriodMs, unprovenPeriodMs);
    this.#timer = repeat(clock, periodMs, () => {
      for (const instrument of this.#known) this.#reconcile(instrument);
    });
  }

  /** The instruments that wait for something, or are worked on. */
  get busy(): number {
    return this.#jobs.size;
  }

  /** A connection delivers these from now on: what came before is read, once. */
  opened(instruments: readonly InstrumentName[]): void {
    for (const instrument of instruments) {
      if (this.#known.has(instrument)) continue;
      this.#known.add(instrument);
      this.#unread.add(instrument);
      this.#unprovenSince.set(instrument, this.#options.exchangeTime());
      this.#add(instrument, { type: 'history', since: undefined });
    }
  }

  /** Settles when the history of all that was opened first has been read, or after a while. */
  async whenRead(signal: AbortSignal): Promise<void> {
    const waiting = AbortSignal.any([signal, this.#closing.signal]);
    const done = new AbortController();
    const patience = sleep(
      this.#options.clock,
      patienceMs,
      AbortSignal.any([waiting, done.signal]),
    );
    await Promise.race([this.#read.promise, patience.catch(() => {})]);
    done.abort();
  }

  /** Trades are missing. */
  fill(gap: Gap): void {
    const { rest, bounds, exchangeTime } = this.#options;
    const count = gap.lastMissingId - gap.firstMissingId + 1;
    const isOld = gap.fromTime < exchangeTime() - bounds.tradesHorizonMs * 1000;
    const jobs = this.#jobs.get(gap.instrument) ?? [];
    // Without klines there are only the trades, however many they are.
    const isForKlines = rest.facts.klines === 'whole' && (isOld || count > maximumTrades);
    if (isForKlines || jobs.length >= maximumGaps) {
      this.#add(gap.instrument, { type: 'history', since: gap.fromTime });
    } else {
      this.#add(gap.instrument, gap);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer[Symbol.dispose]();
    this.#closing.abort();
    this.#jobs.clear();
    for (const wake of this.#wake.values()) wake();
    await Promise.all(this.#working.values());
  }

  /**
   * What the store lacks of the time since shortly before the last look at it. Where ids do not show
   * what was missed, all trades since the last look are read again, whether stored or not.
   */
  #reconcile(instrument: InstrumentName): void {
    const { rest, stored, exchangeTime } = this.#options;
    const now = exchangeTime();
    const isProven = rest.facts.idOrder === 'contiguous' || rest.facts.backfill === 'none';
    if (isProven && stored === undefined) return;
    const since = isProven ? now : (this.#unprovenSince.get(instrument) ?? now);
    this.#unprovenSince.set(instrument, now);
    this.#add(instrument, { type: 'history', since });
  }

  #add(instrument: InstrumentName, job: Job): void {
    if (this.#closing.signal.aborted) return;
    const jobs = this.#jobs.get(instrument) ?? [];
    // One look at the history is enough, if it reaches back as far.
    const others = job.type === 'history' ? jobs.filter((other) => !isCovered(other, job)) : jobs;
    this.#jobs.set(instrument, [...others, job]);
    this.#wake.get(instrument)?.();
    this.#work();
  }

  #work(): void {
    for (const instrument of this.#jobs.keys()) {
      if (this.#working.size >= concurrency) return;
      if (this.#working.has(instrument)) continue;
      const done = this.#workOn(instrument).finally(() => {
        this.#working.delete(instrument);
        this.#work();
      });
      this.#working.set(instrument, done);
    }
  }

  /** Does the next job of an instrument; one that fails goes to the end of its line. */
  async #workOn(instrument: InstrumentName): Promise<void> {
    const jobs = this.#jobs.get(instrument) ?? [];
    // A gap needs the exchange alone, the history the store, too: a gap does not wait for that.
    const job = jobs.find(({ type }) => type === 'gap') ?? jobs[0];
    if (job === undefined) return;
    try {
      await this.#do(instrument, job);
      this.#done(instrument, job);
      this.#attempts.delete(instrument);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#done(instrument, job);
      this.#jobs.set(instrument, [...(this.#jobs.get(instrument) ?? []), job]);
      const attempt = this.#attempts.get(instrument) ?? 0;
      this.#attempts.set(instrument, attempt + 1);
      const delayMs = Math.round(backoffDelayMs(attempt, retryBackoff, this.#options.random));
      const fields = { instrument, job: job.type, delayMs };
      const reason = error instanceof RestError ? { problem: error.message } : { err: error };
      this.#options.logger.warn({ ...fields, ...reason }, 'What was missed cannot be read yet');
      await this.#pause(instrument, delayMs);
    }
  }

  /** Waits, but not longer than until there is something new to do. */
  async #pause(instrument: InstrumentName, delayMs: number): Promise<void> {
    const { promise: isWoken, resolve: wake } = Promise.withResolvers<void>();
    this.#wake.set(instrument, wake);
    using _timer = this.#options.clock.setTimer(delayMs, wake);
    await isWoken;
    this.#wake.delete(instrument);
  }

  #done(instrument: InstrumentName, job: Job): void {
    const rest = (this.#jobs.get(instrument) ?? []).filter((other) => other !== job);
    if (rest.length > 0) this.#jobs.set(instrument, rest);
    else this.#jobs.delete(instrument);
  }

  async #do(instrument: InstrumentName, job: Job): Promise<void> {
    const { signal } = this.#closing;
    if (job.type === 'gap') await fillGap(this.#options, job, signal);
    else {
      await readHistory(this.#options, instrument, job.since, signal);
      this.#unread.delete(instrument);
      if (this.#unread.size === 0) this.#read.resolve();
    }
    const { logger } = this.#options;
    if (job.type === 'gap') logger.info({ gap: job }, 'Asked for the trades of a gap');
    else logger.debug({ instrument }, 'Read the history');
  }
}

/** Whether one look at the history makes another one needless. */
function isCovered(other: Job, job: Job): boolean {
  if (other.type !== 'history' || job.type !== 'history') return false;
  return job.since === undefined || (other.since !== undefined && job.since <= other.since);
}
