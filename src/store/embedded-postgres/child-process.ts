import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Account } from './account.ts';

/** The last lines a program wrote, which is where it says why it ended: enough for any failure. */
const keptLines = 30;

export type Child = {
  readonly pid: number;
  /** The last lines it wrote. */
  readonly lastWords: () => string;
  /** Its exit code; null when a signal ended it. Never rejects. */
  readonly exited: Promise<number | null>;
};

export type ChildOptions = {
  readonly account: Account | undefined;
  readonly onLine?: (line: string) => void;
};

/**
 * Starts a program in a process group of its own, so that a Ctrl-C meant for us does not reach it:
 * it is ended in its turn.
 * @throws Error when it cannot be started
 */
export async function startChild(
  command: string,
  args: readonly string[],
  { account, onLine }: ChildOptions,
): Promise<Child> {
  const child = spawn(command, args, {
    ...account,
    // The folder we are in may be closed to the account; PG* variables must not reach Postgres.
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > keptLines) lines.shift();
      onLine?.(line);
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  await spawned(child);
  return { pid: child.pid ?? 0, lastWords: () => lines.join('\n'), exited };
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

/**
 * Runs a program to its end.
 * @throws Error with the program's last words when it fails
 */
export async function runChild(
  command: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<void> {
  const child = await startChild(command, args, options);
  const code = await child.exited;
  if (code !== 0) throw new Error(`${command} failed (${code}): ${child.lastWords()}`);
}

/** What the system knows of a process; undefined when there is no such process. */
export type ProcessState = { readonly parent: number; readonly command: string };

/** Looks a process up: in /proc where there is one, else (macOS) with ps. A zombie counts as gone. */
export async function lookUpProcess(pid: number): Promise<ProcessState | undefined> {
  if (process.platform === 'linux') {
    try {
      const status = await readFile(`/proc/${pid}/stat`, 'latin1');
      // "pid (name) state parent …": the name may hold anything, so count from its last bracket.
      const [state, parent] = status.slice(status.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z' || state === 'X') return undefined;
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8');
      return { parent: Number(parent), command: command.replaceAll('\0', ' ') };
    } catch {
      return undefined;
    }
  }
  const child = await startChild('ps', ['-o', 'ppid=,command=', '-p', String(pid)], {
    account: undefined,
  });
  if ((await child.exited) !== 0) return undefined;
  const [, parent, command] = /^\s*(\d+)\s+(.*)$/u.exec(child.lastWords()) ?? [];
  return { parent: Number(parent), command: command ?? '' };
}
