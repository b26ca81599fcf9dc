/** More kinds of events than any exchange has; what is beyond is counted together. */
const mostKinds = 50;

/** What became of the lines of a replay. */
export class ReplaySummary {
  lines = 0;
  trades = 0;
  bookTickers = 0;
  readonly #unused = new Map<string, number>();

  /** Counts a line that nothing was made from, by what it was. */
  countUnused(kind: string): void {
    const known = this.#unused.has(kind) || this.#unused.size < mostKinds ? kind : 'of other kinds';
    this.#unused.set(known, (this.#unused.get(known) ?? 0) + 1);
  }

  /** In one sentence, for people. */
  toString(): string {
    const unused = [...this.#unused].map(([kind, count]) => `${group(count)} ${kind}`);
    return (
      `${group(this.lines)} lines: ${group(this.trades)} trades, ${group(this.bookTickers)} book tickers` +
      (unused.length === 0 ? '' : `; not used: ${unused.join(', ')}`)
    );
  }
}

function group(count: number): string {
  return count.toLocaleString('en');
}
