import { parseDecimal } from '../../src/base/decimal.ts';
import type { Execution } from '../../src/domain/execution.ts';

const start = Date.UTC(2026, 0, 1) * 1000;

/** µs from one execution to the next. */
export const executionSpacing = 20_000;

/** The n-th execution of an instrument, with numbers as long as real ones are. */
export function bookedExecution(n: number, instrument: string): Execution {
  const quantity = parseDecimal(`${n % 3}.${String(1 + ((n * 7_919) % 99_991)).padStart(5, '0')}`);
  return {
    account: 'default',
    instrument,
    source: 'bench',
    sourceId: `${instrument}-${n}`,
    // Bought and sold alike, so that about every second one closes something.
    quantity: (n * 2_654_435_761) % 4_294_967_296 < 2 ** 31 ? quantity : -quantity,
    price: parseDecimal(`${60_000 + (n % 977)}.${String(n % 100).padStart(2, '0')}`),
    fee: parseDecimal(`0.${String(n % 1_000).padStart(3, '0')}`),
    executedTime: start + n * executionSpacing,
  };
}

/** The time of the n-th one. */
export function bookedTime(n: number): number {
  return start + n * executionSpacing;
}
