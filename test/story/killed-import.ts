import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Victim } from './killed-programs.ts';

const program = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** `tradewind import` as a process, which goes on where it was when it is started again. */
export class KilledImport implements Victim {
  readonly name = 'import';
  readonly #file: string;
  readonly #server: string;
  #child: ChildProcess;
  #output: Promise<string>;

  constructor(file: string, server: string) {
    this.#file = file;
    this.#server = server;
    [this.#child, this.#output] = this.#spawn();
  }

  /** Rows that it has noted as done; undefined when it has finished, or not noted any yet. */
  async rows(): Promise<number | undefined> {
    try {
      const noted = await readFile(`${this.#file}.import-progress`, 'utf8');
      return (JSON.parse(noted) as { rows: number }).rows;
    } catch {
      return undefined;
    }
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async kill(): Promise<void> {
    await this.#end();
    [this.#child, this.#output] = this.#spawn();
  }

  /** Waits for its end, and answers how it ended and what it said. */
  async finish(): Promise<{ readonly exitCode: number | null; readonly output: string }> {
    const output = await this.#output;
    if (this.isRunning) await once(this.#child, 'exit');
    return { exitCode: this.#child.exitCode, output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async #end(): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  #spawn(): [ChildProcess, Promise<string>] {
    const args = [program, 'import', this.#file, '--server', this.#server, '--patience', '5m'];
    const child = spawn(process.execPath, args, {
      cwd: '/',
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    return [child, output.then((texts) => texts.join(''))];
  }
}
