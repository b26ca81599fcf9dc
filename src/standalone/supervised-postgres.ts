import type { ChildProcesses } from '../base/child-processes.ts';
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { RestartDelay } from '../base/restart-delay.ts';
import { openEmbeddedPostgres } from '../store/embedded-postgres.ts';
import type { EmbeddedPostgres } from '../store/embedded-postgres.ts';

export type PostgresOptions = {
  readonly directory: string;
  readonly port: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly children: ChildProcesses;
};

/** The embedded Postgres, started again on the same port whenever it ends, until it is disposed. */
export class SupervisedPostgres implements AsyncDisposable {
  readonly url: string;
  readonly #options: PostgresOptions;
  readonly #stop = new AbortController();
  readonly #kept: Promise<void>;

  /** @throws Error when it does not start the first time */
  static async open(options: PostgresOptions): Promise<SupervisedPostgres> {
    return new SupervisedPostgres(options, await openEmbeddedPostgres(options));
  }

  private constructor(options: PostgresOptions, postgres: EmbeddedPostgres) {
    this.#options = options;
    this.url = postgres.url;
    this.#kept = this.#keep(postgres);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#kept;
  }

  async #keep(first: EmbeddedPostgres): Promise<void> {
    const { children, clock, logger } = this.#options;
    const { signal } = this.#stop;
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    let postgres: EmbeddedPostgres | undefined = first;
    const delay = new RestartDelay(clock);
    delay.started();
    while (!signal.aborted) {
      if (postgres !== undefined) {
        // Told to quit it leaves nothing behind, which it cannot when it is killed.
        children.add(postgres.pid, 'SIGQUIT');
        await Promise.race([postgres.exited, stopped]);
        if (signal.aborted) await postgres[Symbol.asyncDispose]();
        children.remove(postgres.pid);
        if (signal.aborted) return;
      }
      const delayMs = delay.afterEnd();
      logger.error({ delayMs }, 'Postgres ended by itself, starting it again');
      await sleep(clock, delayMs, signal).catch(() => {});
      postgres = signal.aborted ? undefined : await this.#reopen();
      delay.started();
      if (postgres === undefined) continue;
      logger.info({ port: postgres.port }, 'Postgres is back');
    }
    await postgres?.[Symbol.asyncDispose]();
  }

  async #reopen(): Promise<EmbeddedPostgres | undefined> {
    try {
      return await openEmbeddedPostgres(this.#options);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'Postgres does not start');
      return undefined;
    }
  }
}
