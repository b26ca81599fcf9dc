/**
 * Nanoseconds of one core that a call took on this thread: what another program on the machine uses
 * meanwhile does not count.
 */
export function timeOf(work: () => void): number {
  const start = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) * 1000;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Prints a promise and what was measured of it, and whether it is kept. */
export function report(promise: string, measured: string, isKept: boolean): void {
  console.log(`  ${isKept ? 'kept  ' : 'MISSED'}  ${promise}: ${measured}`);
}
