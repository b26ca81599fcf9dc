import type { BroadcastSubscription } from './broadcast-subscription.ts';

/** Which readers a key goes to; nothing is left of a reader that was removed. */
export class ReaderIndex<Key extends string> {
  readonly #readers = new Map<Key, Set<BroadcastSubscription>>();

  /** @returns removes the reader again */
  add(keys: Iterable<Key>, reader: BroadcastSubscription): () => void {
    const added = [...new Set(keys)];
    for (const key of added) {
      const readers = this.#readers.get(key);
      if (readers === undefined) this.#readers.set(key, new Set([reader]));
      else readers.add(reader);
    }
    return () => {
      for (const key of added) {
        const readers = this.#readers.get(key);
        readers?.delete(reader);
        if (readers?.size === 0) this.#readers.delete(key);
      }
    };
  }

  /** The readers of a key; undefined where there are none, so that nothing is encoded for nobody. */
  of(key: Key): ReadonlySet<BroadcastSubscription> | undefined {
    return this.#readers.get(key);
  }

  /** The number of keys that have readers. */
  get size(): number {
    return this.#readers.size;
  }
}
