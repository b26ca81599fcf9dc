import { execFileSync } from 'node:child_process';

type Row = { readonly pid: number; readonly parent: number; readonly command: string };

/** The running processes; one that has ended and is only waited for does not count. */
function processes(): Row[] {
  const text = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' });
  return text
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/u.exec(line))
    .filter((match) => match !== null && !match[3]?.startsWith('Z'))
    .map((match) => ({
      pid: Number(match?.[1]),
      parent: Number(match?.[2]),
      command: match?.[4] ?? '',
    }));
}

/** The children of a process whose command holds `part`. */
export function childrenOf(parent: number, part = ''): number[] {
  return processes()
    .filter((row) => row.parent === parent && row.command.includes(part))
    .map(({ pid }) => pid);
}

/** Those of `pids` that still run. */
export function stillRunning(pids: readonly number[]): number[] {
  const running = new Set(processes().map(({ pid }) => pid));
  return pids.filter((pid) => running.has(pid));
}
