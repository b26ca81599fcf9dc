/**
 * Chance that can be asked again: everything random in the simulated market is a function of a seed
 * and a place, never of what was asked before. Only integer operations and exact float ones, so that
 * every machine gets the same numbers.
 */

/** Stirs 32 bits until each input bit moves about half of the output bits. */
function stir(bits: number): number {
  let mixed = bits ^ (bits >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** A 32-bit seed from a text. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return stir(hash);
}

/** A 32-bit number that depends on the seed and a place (an integer) alone. */
export function hashAt(seed: number, place: number): number {
  const high = Math.floor(place / 0x1_0000_0000);
  return stir(stir(seed ^ Math.imul(place, 0x9e3779b1)) + Math.imul(high, 0x27d4eb2f));
}

/** A sequence of random numbers. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A number in [0, 1). */
  fraction(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return stir(this.#state) / 0x1_0000_0000;
  }

  /** An integer from `minimum` to `maximum`, both included. */
  integer(minimum: number, maximum: number): number {
    return minimum + Math.floor(this.fraction() * (maximum - minimum + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }
}
