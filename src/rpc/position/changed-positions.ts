import type { PositionName } from '../../domain/position.ts';
import type { LogEntry, PositionEntry } from '../../store/order/log-reader.ts';

/** A position, and where in the log it changed last. */
export type ChangedPosition = PositionName & Pick<PositionEntry, 'position'>;

export function keyOf({ account, instrument }: PositionName): string {
  return `${account} ${instrument}`;
}

/**
 * Positions that changed, each once, in the order of their last changes: whoever was told of one of
 * them goes on after its place, and misses none of those that come behind it.
 */
export class ChangedPositions {
  readonly #changes = new Map<string, ChangedPosition>();

  constructor(entries: readonly LogEntry[] = []) {
    this.note(entries);
  }

  /** Of a log: what is not about positions is left out. */
  note(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      if (entry.type !== 'position') continue;
      const { account, instrument, position } = entry;
      this.set({ account, instrument, position });
    }
  }

  /** It has changed last of all. */
  set(change: ChangedPosition): void {
    const key = keyOf(change);
    // Set anew, it stands last.
    this.#changes.delete(key);
    this.#changes.set(key, change);
  }

  /** Its last change; undefined: it has none that was not told. */
  get(name: PositionName): ChangedPosition | undefined {
    return this.#changes.get(keyOf(name));
  }

  /** The one whose last change is the earliest. */
  first(): ChangedPosition | undefined {
    return this.#changes.values().next().value;
  }

  /** It has been told, unless it has changed again since. */
  told(change: ChangedPosition): void {
    if (this.get(change)?.position === change.position) this.#changes.delete(keyOf(change));
  }

  [Symbol.iterator](): Iterator<ChangedPosition> {
    return this.#changes.values();
  }
}
