import type { PositionName } from '../domain/position.ts';
import type { LogEntry, PositionEntry } from '../store/log-reader.ts';

/** A position, and where in the log it changed last. */
export type ChangedPosition = PositionName & Pick<PositionEntry, 'position'>;

/**
 * Positions that changed, each once, in the order of their last changes: whoever was told of one of
 * them goes on after its place, and misses none of those that come behind it.
 */
export class ChangedPositions {
  readonly #changes = new Map<string, ChangedPosition>();

  constructor(entries: readonly LogEntry[] = []) {
    this.note(entries);
  }

  get size(): number {
    return this.#changes.size;
  }

  /** Of a log: what is not about positions is left out. */
  note(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      if (entry.type !== 'position') continue;
      const { account, instrument, position } = entry;
      const key = `${account} ${instrument}`;
      // Set anew, it stands last.
      this.#changes.delete(key);
      this.#changes.set(key, { account, instrument, position });
    }
  }

  /** The one whose last change is the earliest. */
  first(): ChangedPosition | undefined {
    return this.#changes.values().next().value;
  }

  /** It has been told, unless it has changed again since. */
  told({ account, instrument, position }: ChangedPosition): void {
    const key = `${account} ${instrument}`;
    if (this.#changes.get(key)?.position === position) this.#changes.delete(key);
  }

  [Symbol.iterator](): Iterator<ChangedPosition> {
    return this.#changes.values();
  }
}
