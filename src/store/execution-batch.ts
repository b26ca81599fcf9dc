import type { Micros } from '../base/clock.ts';
import type { Execution } from '../domain/execution.ts';

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

/** Executions of which no two have the same key; what comes again is in the next round. */
export function repeatsOf(executions: readonly Execution[]): readonly (readonly Execution[])[] {
  const rounds: Execution[][] = [];
  const times = new Map<string, number>();
  for (const execution of executions) {
    const { account, source, sourceId } = execution;
    const key = `${account}\0${source}\0${sourceId}`;
    const round = times.get(key) ?? 0;
    times.set(key, round + 1);
    (rounds[round] ??= []).push(execution);
  }
  return rounds;
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
