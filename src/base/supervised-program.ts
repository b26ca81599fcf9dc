import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ChildProcesses } from './child-processes.ts';
import type { Clock, Timer } from './clock.ts';
import type { Environment } from './env.ts';
import type { Logger } from './logger.ts';
import { RestartDelay } from './restart-delay.ts';
import { StartError } from './start-error.ts';

/** The exit code of our programs for a configuration that cannot be used: it will not get better. */
const badConfiguration = 2;

export type ProgramOptions = {
  /** The program is src/<name>.ts, unless `path` says where. */
  readonly name: string;
  readonly path?: string;
  readonly environment: Environment;
  readonly stopTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly children: ChildProcesses;
  /** Takes each line that it writes. */
  readonly onLine: (program: string, line: string) => void;
};

/** A program as a child process that is started again whenever it ends, until it is disposed. */
export class SupervisedProgram implements AsyncDisposable {
  /** Rejects when there is no use in starting it again. */
  readonly failed: Promise<never>;
  readonly #options: ProgramOptions;
  readonly #fail: (error: Error) => void;
  readonly #delay: RestartDelay;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #restart: Timer | undefined;
  #isStopping = false;

  constructor(options: ProgramOptions) {
    this.#options = options;
    this.#delay = new RestartDelay(options.clock);
    const { promise, reject } = Promise.withResolvers<never>();
    // Whoever waits for it hears of it; nobody has to.
    promise.catch(() => {});
    this.failed = promise;
    this.#fail = reject;
    this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { name, clock, logger, stopTimeoutMs } = this.#options;
    this.#isStopping = true;
    this.#restart?.[Symbol.dispose]();
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGTERM');
    const patience = clock.setTimer(stopTimeoutMs, () => {
      logger.warn({ stopTimeoutMs }, `The ${name} does not end, killing it`);
      child.kill('SIGKILL');
    });
    await this.#exited;
    patience[Symbol.dispose]();
  }

  #start(): void {
    const { name, environment, children, onLine } = this.#options;
    const path = this.#options.path ?? fileURLToPath(new URL(`../${name}.ts`, import.meta.url));
    const child = spawn(process.execPath, [path], {
      env: { ...environment },
      // A process group of its own: a Ctrl-C is meant for us, and we end the programs in their order.
      detached: true,
      // The channel ends when we do, however we end; the program takes that as its own end.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#delay.started();
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null)
        createInterface({ input: stream }).on('line', (line) => onLine(name, line));
    }
    if (child.pid !== undefined) children.add(child.pid);
    this.#child = child;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exited = promise;
    const onEnd = (how: string, code: number | null) => {
      if (child.pid !== undefined) children.remove(child.pid);
      this.#child = undefined;
      resolve();
      if (!this.#isStopping) this.#onCrash(how, code);
    };
    child.once('error', (error) => onEnd(error.message, null));
    // Not exit: what it wrote last comes after that.
    child.once('close', (code, signal) => {
      onEnd(signal === null ? `exit code ${code}` : `signal ${signal}`, code);
    });
  }

  #onCrash(how: string, code: number | null): void {
    const { name, clock, logger } = this.#options;
    if (code === badConfiguration) {
      this.#fail(new StartError(`The ${name} cannot run with this configuration`));
      return;
    }
    const delayMs = this.#delay.afterEnd();
    logger.error({ how, delayMs }, `The ${name} ended by itself, starting it again`);
    this.#restart = clock.setTimer(delayMs, () => this.#start());
  }
}
