import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

export type ChildProgram = AsyncDisposable & {
  readonly pid: number;
  /** Bytes of the process in memory; NaN where the operating system does not say. */
  readonly rss: () => Promise<number>;
};

/**
 * Starts one of our programs in a process of its own; what it warns of is printed.
 * @returns the program, and the url of its first log line that names one
 */
export async function startChildProgram(
  name: string,
  environment: Readonly<Record<string, string>>,
): Promise<ChildProgram & { readonly url: Promise<string> }> {
  const child = spawn(process.execPath, [`${import.meta.dirname}/../../src/${name}.ts`], {
    env: { PATH: process.env['PATH'], ...environment },
    // A program ends when the holder of its IPC channel does.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  await once(child, 'spawn');
  const exited = once(child, 'exit');
  const url = Promise.withResolvers<string>();
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  lines.on('line', (text) => {
    const line: { level?: number; url?: string } = JSON.parse(text);
    if (line.url !== undefined) url.resolve(line.url);
    if ((line.level ?? 0) >= 40) console.log(`  ${name}: ${text}`);
  });
  const { pid = 0 } = child;
  return {
    pid,
    url: url.promise,
    rss: async () => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      return Number(/VmRSS:\s+(\d+)/u.exec(status)?.[1] ?? Number.NaN) * 1024;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await exited;
    },
  };
}
