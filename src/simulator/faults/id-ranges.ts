/** From `from` to `to`, both included. */
export type IdRange = { readonly from: number; readonly to: number };

/** Separate ranges kept by one set; beyond that no more ids go in. */
const maxRanges = 100_000;

/** A set of trade ids, kept as ranges: a million in a row cost as much as one. */
export class IdRanges {
  /** Apart from each other and in order. */
  #ranges: IdRange[] = [];

  constructor(ranges: readonly IdRange[] = []) {
    for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
      const last = this.#ranges.at(-1);
      if (last === undefined || range.from > last.to + 1) this.#ranges.push(range);
      else this.#ranges[this.#ranges.length - 1] = joined(last, range);
    }
  }

  get ranges(): readonly IdRange[] {
    return this.#ranges;
  }

  has(id: number): boolean {
    const range = this.#ranges[this.#indexFrom(id)];
    return range !== undefined && range.from <= id;
  }

  /** The first id from `id` on that is not in the set. */
  firstOutside(id: number): number {
    const range = this.#ranges[this.#indexFrom(id)];
    return range !== undefined && range.from <= id ? range.to + 1 : id;
  }

  /** Puts an id in; false when the set is full. */
  add(id: number): boolean {
    if (this.has(id)) return true;
    const last = this.#ranges.at(-1);
    if (last !== undefined && id === last.to + 1) {
      this.#ranges[this.#ranges.length - 1] = { from: last.from, to: id };
      return true;
    }
    if (this.#ranges.length >= maxRanges) return false;
    this.#ranges.splice(this.#indexFrom(id), 0, { from: id, to: id });
    return true;
  }

  /** The place of the first range that ends at or after `id`. */
  #indexFrom(id: number): number {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.to ?? 0) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function joined(a: IdRange, b: IdRange): IdRange {
  return { from: a.from, to: Math.max(a.to, b.to) };
}
