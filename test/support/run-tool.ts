import { spawn } from 'node:child_process';
import type { SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** How a tool ended, and what it wrote. */
export type ToolResult = {
  /** null where it was killed. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type ToolOptions = Pick<SpawnOptions, 'cwd' | 'env'> & {
  /** Asked whenever something was written to standard output; true ends the tool. */
  readonly isEnough?: (stdout: string) => boolean;
  /** A tool hangs when it runs longer than this; it is killed. Default 60,000. */
  readonly timeoutMs?: number;
};

/**
 * Runs a tool to its end, with nothing on its standard input.
 * @throws Error when there is no such program
 */
export async function runTool(
  program: string,
  args: readonly string[],
  { isEnough, timeoutMs = 60_000, ...options }: ToolOptions = {},
): Promise<ToolResult> {
  // In a process group of its own: what npm installs as a tool is often a script that starts the
  // real one, and the end of the one is not the end of the other.
  const child = spawn(program, args, {
    ...options,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL');
  const timeout = setTimeout(kill, timeoutMs);
  let stdout = '';
  let stderr = '';
  let isKilled = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (isKilled || isEnough?.(stdout) !== true) return;
    isKilled = true;
    kill();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  try {
    await once(child, 'close');
  } finally {
    clearTimeout(timeout);
  }
  return { exitCode: child.exitCode, stdout, stderr };
}

/** A program that came with the dependencies, whatever the PATH is. */
export function installedTool(name: string): string {
  return fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));
}
