import assert from 'node:assert/strict';
import type { OpenOrder } from './open-orders.ts';

/** Below 0 when `a` comes before `b`. Never 0 for two different orders. */
export type Precedence = (a: OpenOrder, b: OpenOrder) => number;

/** A longer run is halved: to let one in, no more pointers are moved than it has. */
const longestRun = 512;

/**
 * Open orders in line by one rule. Whoever is first is at hand at no cost, however many there are.
 * They stand in runs, in which the first is the last, as the first run is: filling takes from the end
 * of an array, and moving some hundred pointers to let one in costs less than any tree does.
 */
export class OrderQueue {
  first: OpenOrder | undefined = undefined;
  readonly #precedence: Precedence;
  /** None of them is empty. */
  readonly #runs: OpenOrder[][] = [];

  constructor(precedence: Precedence) {
    this.#precedence = precedence;
  }

  add(open: OpenOrder): void {
    // Whoever is before all others joins the last run.
    const index = Math.max(0, Math.min(this.#runOf(open), this.#runs.length - 1));
    const run = (this.#runs[index] ??= []);
    run.splice(this.#placeIn(run, open), 0, open);
    if (run.length > longestRun) this.#runs.splice(index + 1, 0, run.splice(longestRun / 2));
    this.#lookForFirst();
  }

  remove(open: OpenOrder): void {
    const isFirst = open === this.first;
    const index = isFirst ? this.#runs.length - 1 : this.#runOf(open);
    const run = this.#runs[index] ?? [];
    const place = isFirst ? run.length - 1 : this.#placeIn(run, open);
    assert(run[place] === open, 'Only who is in line leaves it');
    if (isFirst) run.pop();
    else run.splice(place, 1);
    if (run.length === 0) this.#runs.splice(index, 1);
    this.#lookForFirst();
  }

  #lookForFirst(): void {
    this.first = this.#runs.at(-1)?.at(-1);
  }

  /** The number of runs all of whose orders come after it. */
  #runOf(open: OpenOrder): number {
    return countWhile(this.#runs, (run) => this.#isAfter(run.at(-1), open));
  }

  /** The number of the run's orders that come after it. */
  #placeIn(run: readonly OpenOrder[], open: OpenOrder): number {
    return countWhile(run, (other) => this.#isAfter(other, open));
  }

  #isAfter(other: OpenOrder | undefined, open: OpenOrder): boolean {
    return other !== undefined && this.#precedence(other, open) > 0;
  }
}

/** How many items from the first on are so; none of those after them is. */
function countWhile<Item>(items: readonly Item[], isSo: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && isSo(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}
