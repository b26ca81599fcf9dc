import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Microseconds on a clock that all processes of the machine share. */
export function commonMicros(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanoseconds / 1000);
}

/** Microseconds of CPU that this process has used, all its threads together. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

export type MemoryUse = {
  /** Bytes of live JavaScript objects and their buffers. */
  readonly heap: number;
  /** Bytes of the process in memory: what the operating system counts. */
  readonly rss: number;
};

/** The memory of this process after its garbage is collected. */
export function memoryUse(): MemoryUse {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  // Twice: what a finalizer lets go of is garbage only afterwards.
  if (typeof collect === 'function') for (let round = 0; round < 2; round++) collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

/** What each of `count` things cost. */
export function memoryEach(before: MemoryUse, after: MemoryUse, count: number): string {
  const kib = (bytes: number) => `${(bytes / count / 1024).toFixed(0)} KiB`;
  return `${kib(after.heap - before.heap)} of heap, ${kib(after.rss - before.rss)} of RSS`;
}
