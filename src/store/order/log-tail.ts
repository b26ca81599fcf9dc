import type { BackoffBounds } from '../../base/backoff.ts';
import { backoffDelayMs } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { sleep } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Database } from '../database.ts';
import type { LogEntry } from './log-reader.ts';
import { LogReader } from './log-reader.ts';
import { LogWaker } from './log-waker.ts';

export type LogTailOptions = {
  readonly database: Database;
  /** What `readAfter` asks, so that nobody who catches up holds up the tail; the same unless given. */
  readonly readers?: Database;
  /** Of the same database: the tail listens there over a connection of its own. */
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long an entry waits at most where nobody tells of it. */
  readonly pollMs?: number;
};

export type LogListener = (entries: readonly LogEntry[]) => void;

/** Being told is faster; asking is for when that fails, and costs one statement a second. */
const defaultPollMs = 1_000;
/** Entries in one answer of Postgres: the largest append in about four pages. */
const entriesPerPage = 1_000;
const retryBounds: BackoffBounds = { minimumMs: 100, maximumMs: 5_000 };

/** Follows the log in Postgres from its end on, for all readers of this server. Disposing it ends it. */
export function openLogTail(options: LogTailOptions): LogTail {
  return new LogTail(options);
}

export class LogTail implements AsyncDisposable {
  readonly #reader: LogReader;
  readonly #catchingUp: LogReader;
  readonly #waker: LogWaker;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #pollMs: number;
  readonly #listeners = new Set<LogListener>();
  readonly #stop = new AbortController();
  readonly #run: Promise<void>;
  #position: number | undefined;
  #wake: () => void = () => {};
  #isAwake = false;

  constructor(options: LogTailOptions) {
    const { database, readers = database, url, clock, logger, pollMs = defaultPollMs } = options;
    this.#reader = new LogReader(database);
    this.#catchingUp = new LogReader(readers);
    this.#clock = clock;
    this.#logger = logger;
    this.#pollMs = pollMs;
    const onWake = () => {
      this.#isAwake = true;
      this.#wake();
    };
    this.#waker = new LogWaker({ url, clock, logger, onWake });
    this.#run = this.#follow();
  }

  /** All entries up to here were handed out; undefined before Postgres has answered first. */
  get position(): number | undefined {
    return this.#position;
  }

  /**
   * Hands on entries as they are committed, in the order of the log, from `position` as it is now; to
   * have them from an earlier one, subscribe, then `readAfter` until that position. The listener must
   * not throw.
   * @throws Refusal (unavailable) before Postgres has answered first
   */
  subscribe(listener: LogListener): Disposable {
    if (this.#position === undefined) {
      throw new Refusal('unavailable', 'The log cannot be read yet: try again');
    }
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /**
   * The first entries after a position, at most `limit`, read from Postgres: fewer mean that there
   * were no more.
   * @throws in an outage
   */
  readAfter(position: number, limit: number): Promise<readonly LogEntry[]> {
    return this.#catchingUp.readAfter(position, limit);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted;) {
      this.#isAwake = false;
      let entries: readonly LogEntry[];
      try {
        entries = await this.#readNext();
      } catch (err) {
        if (failures === 0) this.#logger.warn({ err }, 'The log cannot be read');
        // Being told of a commit is no sign that it can be read again.
        await sleep(this.#clock, backoffDelayMs(failures++, retryBounds), signal).catch(() => {});
        continue;
      }
      if (failures > 0) this.#logger.info('The log can be read again');
      failures = 0;
      this.#handOut(entries);
      if (entries.length < entriesPerPage) await this.#pause();
    }
  }

  async #readNext(): Promise<readonly LogEntry[]> {
    this.#position ??= await this.#reader.lastPosition();
    return await this.#reader.readAfter(this.#position, entriesPerPage);
  }

  #handOut(entries: readonly LogEntry[]): void {
    const last = entries.at(-1);
    if (last === undefined || this.#stop.signal.aborted) return;
    this.#position = last.position;
    for (const listener of this.#listeners) listener(entries);
  }

  /** Waits to be woken, or for the next time to look anyway. */
  async #pause(): Promise<void> {
    if (this.#isAwake || this.#stop.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    using _timer = this.#clock.setTimer(this.#pollMs, resolve);
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#waker[Symbol.asyncDispose]();
    await this.#run;
  }
}
