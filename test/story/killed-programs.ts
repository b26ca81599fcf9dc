import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import type { EmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { eventually } from '../support/eventually.ts';

/** Something that is killed without a word, and started again. */
export interface Victim extends AsyncDisposable {
  readonly name: string;
  kill(): Promise<void>;
}

/** A program of src/ as a process of its own. */
export class KilledProgram implements Victim {
  readonly name: string;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess;

  constructor(name: string, environment: Readonly<Record<string, string>>) {
    this.name = name;
    this.#environment = environment;
    this.#child = this.#spawn();
  }

  async kill(): Promise<void> {
    await this.#end();
    this.#child = this.#spawn();
  }

  /** Stops it in the middle of whatever it does, as a suspended machine would, and lets it go on. */
  async freeze(durationMs: number): Promise<void> {
    this.#child.kill('SIGSTOP');
    await pause(durationMs);
    this.#child.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async #end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  #spawn(): ChildProcess {
    const path = fileURLToPath(new URL(`../../src/${this.name}.ts`, import.meta.url));
    const env = { PATH: process.env['PATH'], LOG_LEVEL: 'error', ...this.#environment };
    return spawn(process.execPath, [path], { cwd: '/', env, stdio: 'ignore' });
  }
}

/** The Postgres that rows are stored in. */
export class KilledPostgres implements Victim {
  readonly name = 'Postgres';
  readonly #directory: string;
  #postgres: EmbeddedPostgres;

  constructor(directory: string, postgres: EmbeddedPostgres) {
    this.#directory = directory;
    this.#postgres = postgres;
  }

  async kill(): Promise<void> {
    const { pid, port, exited } = this.#postgres;
    process.kill(pid, 'SIGKILL');
    await exited;
    await eventually(async () => {
      this.#postgres = await openEmbeddedPostgres({
        directory: this.#directory,
        port,
        clock: systemClock,
        logger: silentLogger,
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#postgres[Symbol.asyncDispose]();
  }
}
