import pg from 'pg';
import { backoffDelayMs } from '../../base/backoff.ts';
import type { BackoffBounds } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { sleep } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';

export type LogWakerOptions = {
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onWake: () => void;
};

/** What is notified at a commit to the log. */
const channels = ['order_event', 'position_change'];
const connectTimeoutMs = 3_000;
const retryBounds: BackoffBounds = { minimumMs: 100, maximumMs: 5_000 };

/**
 * Listens on a connection of its own for commits to the log, and connects again when it is lost.
 * Whoever is woken by it must look from time to time anyway: nobody tells what was missed meanwhile.
 */
export class LogWaker implements AsyncDisposable {
  readonly #options: LogWakerOptions;
  readonly #stop = new AbortController();
  readonly #run: Promise<void>;
  #end: () => void = () => {};

  constructor(options: LogWakerOptions) {
    this.#options = options;
    this.#run = this.#keepListening();
  }

  async #keepListening(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.#listen(() => (failures = 0));
      } catch (err) {
        logger.debug({ err }, 'Listening for commits to the log failed');
      }
      if (signal.aborted) return;
      await sleep(clock, backoffDelayMs(failures, retryBounds), signal).catch(() => {});
    }
  }

  /** Ends when the connection does. */
  async #listen(onListening: () => void): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: 'tradewind-log',
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: connectTimeoutMs,
      keepAlive: true,
    });
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    client.on('error', () => end());
    client.on('end', end);
    client.on('notification', this.#options.onWake);
    this.#end = end;
    try {
      await client.connect();
      await client.query(channels.map((channel) => `listen ${channel}`).join('; '));
      onListening();
      // What was committed before is not told.
      this.#options.onWake();
      if (!this.#stop.signal.aborted) await ended;
    } finally {
      // Not waited for: over a line that swallows everything it would take a quarter of an hour.
      client.end().catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#end();
    await this.#run;
  }
}
