import { backoffDelayMs } from '../../base/backoff.ts';
import { sleep } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import { LogLimiter } from '../../base/log-limiter.ts';
import type { Logger } from '../../base/logger.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { Trade } from '../../domain/trade.ts';

/** One connection to the cache. Whatever it throws, the cache goes on without it. */
export interface PriceConnection {
  /**
   * Keeps each trade where none is kept that is newer, by (exchange time, id).
   * @throws CacheRefusal when the cache answers that it will not; Error when it does not answer
   */
  write(trades: readonly Trade[]): Promise<void>;
  /** The kept trades of these instruments; what cannot be read is left out. */
  read(instruments: readonly InstrumentName[]): Promise<readonly Trade[]>;
  /** Asks whether it is there. */
  check(): Promise<void>;
  /** Closes it at once; what is under way fails. */
  close(): void;
}

/** The cache is there, and says no: it is full, say. */
export class CacheRefusal extends Error {}

/** How the cache is: off where none is configured. */
export type CacheStatus = {
  readonly state: 'ok' | 'degraded' | 'off';
  /** Why, in words; empty while ok. */
  readonly reason: string;
};

/** What the cache counted since it began. */
export type CacheCounters = {
  /** Prices that it has taken. */
  written: number;
  /** Writes that it has refused. */
  refusals: number;
  /** Answers that did not come in time. */
  timeouts: number;
  /** Connections that answered, the first among them. */
  connections: number;
  /** Connections that were lost, and attempts that came to nothing. */
  failures: number;
};

export type PriceCacheOptions = {
  /** Opens a connection; an aborted signal gives the attempt up. */
  readonly connect: (signal: AbortSignal) => Promise<PriceConnection>;
  /** The latest trade of every instrument that this server hears of. */
  readonly latestTrades: () => readonly Trade[];
  /** Milliseconds between two writes of the same instrument; in between the newest waits alone. */
  readonly writePeriodMs: number;
  /** Milliseconds for an answer; beyond, the connection is taken for dead. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
};

/** A cache that is there answers within milliseconds; its host may have to be looked up first. */
const connectTimeoutMs = 1_000;
const reconnectBounds = { minimumMs: 200, maximumMs: 5_000 };
/** After a refusal nothing is written for this long: it is full for everybody. */
const refusalPauseMs = 1_000;
/** So often it is asked whether it is there: that it is gone shows otherwise only when prices come. */
const checkPeriodMs = 1_000;
/** So often everything is written anew: a cache that was emptied is full again after this. */
const refillPeriodMs = 10_000;
/** Instruments in one write: what a busy cache takes in a millisecond. */
const mostInWrite = 100;
/** Questions under way at once; who asks beyond it is answered as if nothing were kept. */
const mostReads = 64;
const logPeriodMs = 60_000;

/**
 * Keeps the latest price of each instrument in a cache, for other readers and servers, and asks it for
 * theirs. Nobody ever waits for it: prices are offered, the newest of each instrument waits for the
 * next write, and while the cache is away nothing else waits than that, an instrument's one trade.
 */
export class PriceCache implements AsyncDisposable {
  readonly counters: CacheCounters = {
    written: 0,
    refusals: 0,
    timeouts: 0,
    connections: 0,
    failures: 0,
  };
  readonly #options: PriceCacheOptions;
  readonly #limiter: LogLimiter;
  readonly #pending = new Map<InstrumentName, Trade>();
  readonly #reads = new Map<string, Promise<readonly Trade[]>>();
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  #open: { readonly connection: PriceConnection; readonly lost: AbortController } | undefined;
  #status: CacheStatus = { state: 'degraded', reason: 'Not connected yet' };

  constructor(options: PriceCacheOptions) {
    this.#options = options;
    this.#limiter = new LogLimiter(options.clock, logPeriodMs);
    this.#ended = this.#run();
  }

  get status(): CacheStatus {
    return this.#status;
  }

  /** Lets a trade be kept, where it is the newest of its instrument. Never waits, never throws. */
  offer(trade: Trade): void {
    const waiting = this.#pending.get(trade.instrument);
    if (waiting === undefined || isNewer(trade, waiting)) {
      this.#pending.set(trade.instrument, trade);
    }
  }

  /** What is kept of these instruments; nothing while the cache is away. Never throws. */
  latest(instruments: readonly InstrumentName[]): Promise<readonly Trade[]> {
    const open = this.#open;
    if (open === undefined) return Promise.resolve([]);
    const key = instruments.join(' ');
    const running = this.#reads.get(key);
    if (running !== undefined) return running;
    if (this.#reads.size >= mostReads) return Promise.resolve([]);
    const read = this.#inTime(open.connection.read(instruments), this.#options.timeoutMs)
      .catch((error: unknown): readonly Trade[] => {
        if (!(error instanceof CacheRefusal)) open.lost.abort(error);
        return [];
      })
      .finally(() => this.#reads.delete(key));
    this.#reads.set(key, read);
    return read;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted;) {
      try {
        const connection = await this.#connect();
        attempt = 0;
        await this.#serve(connection);
      } catch (error) {
        if (signal.aborted) return;
        this.counters.failures++;
        this.#degrade(error);
      }
      const delayMs = backoffDelayMs(attempt++, reconnectBounds, this.#options.random);
      await sleep(this.#options.clock, delayMs, signal).catch(() => {});
    }
  }

  /** A connection that has answered: one that is frozen takes connections, too. */
  async #connect(): Promise<PriceConnection> {
    const connection = await this.#openConnection();
    try {
      await this.#inTime(connection.check(), this.#options.timeoutMs);
    } catch (error) {
      connection.close();
      throw error;
    }
    this.counters.connections++;
    this.#options.logger.info('Connected to the cache');
    return connection;
  }

  async #openConnection(): Promise<PriceConnection> {
    const attempt = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, attempt.signal]);
    try {
      return await this.#inTime(this.#options.connect(signal), connectTimeoutMs);
    } catch (error) {
      attempt.abort(error);
      throw error;
    }
  }

  /** Writes what is offered until the connection is lost; that it throws. */
  async #serve(connection: PriceConnection): Promise<never> {
    const { clock, latestTrades, writePeriodMs, timeoutMs } = this.#options;
    const lost = new AbortController();
    this.#open = { connection, lost };
    const signal = AbortSignal.any([this.#stopping.signal, lost.signal]);
    try {
      let checkMs = clock.monotonicMs() + checkPeriodMs;
      let refillMs = clock.monotonicMs();
      for (;;) {
        if (clock.monotonicMs() >= checkMs) {
          await this.#inTime(connection.check(), timeoutMs);
          checkMs = clock.monotonicMs() + checkPeriodMs;
        }
        if (clock.monotonicMs() >= refillMs) {
          for (const trade of latestTrades()) this.offer(trade);
          refillMs = clock.monotonicMs() + refillPeriodMs;
        }
        const isTaken = await this.#writePending(connection);
        await sleep(clock, isTaken ? writePeriodMs : refusalPauseMs, signal);
      }
    } finally {
      this.#open = undefined;
      connection.close();
    }
  }

  /** @returns false when the cache refused; @throws when it did not answer */
  async #writePending(connection: PriceConnection): Promise<boolean> {
    const trades = [...this.#pending.values()];
    this.#pending.clear();
    for (let index = 0; index < trades.length; index += mostInWrite) {
      const some = trades.slice(index, index + mostInWrite);
      try {
        await this.#inTime(connection.write(some), this.#options.timeoutMs);
        this.counters.written += some.length;
      } catch (error) {
        // What came meanwhile is newer, and stays.
        for (const trade of trades.slice(index)) this.offer(trade);
        if (!(error instanceof CacheRefusal)) throw error;
        this.counters.refusals++;
        this.#degrade(error);
        return false;
      }
    }
    if (this.#status.state !== 'ok') this.#status = { state: 'ok', reason: '' };
    return true;
  }

  async #inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
    const { promise: silence, reject } = Promise.withResolvers<never>();
    using _timer = this.#options.clock.setTimer(timeoutMs, () => {
      this.counters.timeouts++;
      reject(new Error(`The cache did not answer within ${timeoutMs} ms`));
    });
    return await Promise.race([answer, silence]);
  }

  #degrade(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#status = { state: 'degraded', reason };
    const due = this.#limiter.due('degraded');
    if (due !== undefined) this.#options.logger.warn({ ...due, err: error }, 'The cache is away');
  }

  /** Closes the connection; what waits is not written any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('The cache is closed'));
    await this.#ended;
  }
}

function isNewer(a: Trade, b: Trade): boolean {
  return a.exchangeTime > b.exchangeTime || (a.exchangeTime === b.exchangeTime && a.id > b.id);
}
