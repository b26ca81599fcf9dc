import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { sleep } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { lookUpProcess } from './child-process.ts';

/** How Postgres is told to stop, ever more firmly, and how long each is given. */
const stopSteps = [
  // Fast: ends the sessions, writes a checkpoint.
  { signal: 'SIGINT', patienceMs: 30_000 },
  // Immediate: recovers at the next start.
  { signal: 'SIGQUIT', patienceMs: 5_000 },
  { signal: 'SIGKILL', patienceMs: 5_000 },
] as const;

const pollMs = 20;

/** Names the process that started a Postgres, on its command line. */
export const ownerMark = (pid: number) => `cluster_name=tradewind-of-${pid}-`;

/** What Postgres writes into its data directory while it runs. */
export type PostmasterFile = { readonly pid: number; readonly isReady: boolean };

export async function readPostmasterFile(data: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  return { pid: Number(lines[0]), isReady: lines[7]?.trim() === 'ready' };
}

/**
 * Makes way for a new Postgres on `data`: stops one that was left over when its owner was killed.
 * @returns whether there was something left over
 * @throws Error when the process that started it is still there
 */
export async function clearLeftOver(
  data: string,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<boolean> {
  const file = await readPostmasterFile(data);
  if (file === undefined) return false;
  const found = await lookUpProcess(file.pid);
  // Its file then stays: Postgres finds in it whether sessions of the dead one still hold the data.
  if (found === undefined) return true;
  if (!found.command.includes(data)) {
    await disown(data);
    return true;
  }
  // A process that lost its parent has another one at once, so that this cannot be mistaken.
  if (found.command.includes(ownerMark(found.parent))) {
    throw new Error(`The Postgres in ${data} is in use by process ${found.parent}`);
  }
  logger.warn({ pid: file.pid }, 'Stopping a Postgres that was left over');
  await stopProcess(file.pid, clock);
  return true;
}

/**
 * The number of a Postgres that is gone has gone to another process, as it does in a restarted
 * container, and Postgres would not start for fear of it. It ignores the number of its own parent,
 * so ours is written there; the rest of the file must stay for its other checks.
 */
async function disown(data: string): Promise<void> {
  const path = join(data, 'postmaster.pid');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(/^\d+/u, String(process.pid)));
}

/** Stops a postmaster and waits until it is gone. */
export async function stopProcess(pid: number, clock: Clock): Promise<void> {
  for (const { signal, patienceMs } of stopSteps) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw new Error(`Postgres (process ${pid}) could not be told to stop`, { cause: error });
    }
    const deadline = clock.monotonicMs() + patienceMs;
    while (clock.monotonicMs() < deadline) {
      if ((await lookUpProcess(pid)) === undefined) return;
      await sleep(clock, pollMs);
    }
  }
  throw new Error(`Postgres (process ${pid}) could not be stopped`);
}
