import type { Micros } from '../../base/clock.ts';
import type { Execution } from '../../domain/execution.ts';

/**
 * Executions in one statement. More are not recorded faster, and everybody whose executions come
 * right behind waits longer.
 */
const maximumRows = 5_000;

/**
 * Months in one statement: each partition that is written takes a few of Postgres' locks to the end
 * of the transaction, a new one a dozen, and there is a fixed number of them.
 */
const maximumMonths = 64;

/**
 * Executions whose keys are all different, and those whose key another one before them has: they are
 * asked for when that one is recorded or refused.
 */
export function apartFromRepeats(
  executions: readonly Execution[],
): readonly [firsts: readonly Execution[], repeats: readonly Execution[]] {
  const firsts: Execution[] = [];
  const repeats: Execution[] = [];
  const keys = new Set<string>();
  for (const execution of executions) {
    const { account, source, sourceId } = execution;
    const key = `${account}\0${source}\0${sourceId}`;
    (keys.has(key) ? repeats : firsts).push(execution);
    keys.add(key);
  }
  return [firsts, repeats];
}

/** Cuts executions into pieces that are recorded in one statement each, by time. */
export function cutIntoPieces(executions: readonly Execution[]): Execution[][] {
  const pieces: Execution[][] = [];
  let months = new Set<number>();
  for (const execution of executions.toSorted((a, b) => a.executedTime - b.executedTime)) {
    let piece = pieces.at(-1);
    months.add(monthOf(execution.executedTime));
    if (piece === undefined || piece.length === maximumRows || months.size > maximumMonths) {
      months = new Set([monthOf(execution.executedTime)]);
      piece = [];
      pieces.push(piece);
    }
    piece.push(execution);
  }
  return pieces;
}

function monthOf(time: Micros): number {
  const date = new Date(time / 1000);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}
