import { readFile, rm } from 'node:fs/promises';
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
 * Makes way for a new Postgres on `data`: one that was left over when its owner was killed is
 * stopped, and the file of one that is gone is removed, as its number may have gone to another
 * process since (it does in a restarted container).
 * @returns whether there was something to clean up
 * @throws Error when the process that started it is still there
 */
export async function clearLeftOver(
  data: string,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<boolean> {
  const file = await readPostmasterFile(data);
  if (file === undefined) return false;
  const postmaster = await lookUpProcess(file.pid);
  if (postmaster === undefined || !postmaster.command.includes(data)) {
    await rm(join(data, 'postmaster.pid'), { force: true });
    return true;
  }
  // A process that lost its parent has another one at once, so that this cannot be mistaken.
  if (postmaster.command.includes(ownerMark(postmaster.parent))) {
    throw new Error(`The Postgres in ${data} is in use by process ${postmaster.parent}`);
  }
  logger.warn({ pid: file.pid }, 'Stopping a Postgres that was left over');
  await stopProcess(file.pid, clock);
  return true;
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
