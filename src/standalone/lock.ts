import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Two starts at once may take turns at a stale lock; nobody has to try this often. */
const attempts = 10;

/** The process that holds a lock; its number alone could have gone to another one since. */
type Holder = { readonly pid: number; readonly born: string };

export type Lock =
  | { readonly isOurs: true; readonly release: () => void }
  /** Another process has it. */
  | { readonly isOurs: false; readonly pid: number };

/**
 * Takes the lock of a directory, for as long as this process lives. One that was left behind by a
 * process that is gone does not count.
 */
export function takeLock(directory: string): Lock {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'lock');
  // Written first and linked to its place then: nobody can read half a lock.
  const own = `${path}.${process.pid}`;
  const content = JSON.stringify({ pid: process.pid, born: bornOf(process.pid) ?? '' });
  writeFileSync(own, content);
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (link(own, path)) {
        return { isOurs: true, release: () => releaseLock(path, content) };
      }
      const found = read(path);
      const holder = found === undefined ? undefined : parseHolder(found);
      if (holder !== undefined && bornOf(holder.pid) === holder.born) {
        return { isOurs: false, pid: holder.pid };
      }
      if (found !== undefined) removeStale(path, found);
    }
  } finally {
    rmSync(own, { force: true });
  }
  throw new Error(`The lock ${path} cannot be taken: it changes all the time`);
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a stale lock away; puts it back when it was not the stale one any more. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    // Another start was faster.
    return;
  }
  if (read(aside) !== stale) link(aside, path);
  rmSync(aside, { force: true });
}

function releaseLock(path: string, content: string): void {
  if (read(path) === content) rmSync(path, { force: true });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, born } = JSON.parse(text) as Partial<Holder>;
    return typeof pid === 'number' && typeof born === 'string' ? { pid, born } : undefined;
  } catch {
    return undefined;
  }
}

/** When a process was started, in the system's own words; undefined when there is none. */
function bornOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const status = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // "pid (name) state …": the name may hold anything. The 20th field after it is the start time.
      const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}
