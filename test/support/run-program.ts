import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** How a program ended, and what it wrote. */
export type ProgramResult = {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** A program hangs when it runs longer than this; it is killed, and the exit code is null. */
const timeoutMs = 60_000;

/**
 * Runs a program of `src/` to its end, in an environment of only what is given, away from the
 * repository's own .env file and .tradewind directory.
 */
export async function runToEnd(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ProgramResult> {
  const path = fileURLToPath(new URL(`../../src/${program}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--', path, ...args], {
    cwd: '/',
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { exitCode: child.exitCode, stdout, stderr };
}
