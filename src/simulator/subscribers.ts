import type { Connection } from './connection.ts';
import type { Stream, StreamKind } from './stream.ts';

/** Symbols that can be listened to at once, by all clients together: each is worked on all the time. */
export const maxSubscribedSymbols = 1024;

/** Who listens to which stream. */
export class Subscribers {
  readonly #byStream = new Map<string, Set<Connection>>();
  /** The kinds that somebody listens to, by symbol: what has to be generated. */
  readonly #kinds = new Map<string, Set<StreamKind>>();

  get kinds(): ReadonlyMap<string, ReadonlySet<StreamKind>> {
    return this.#kinds;
  }

  /** Whether these can be added without going beyond the bound of symbols. */
  hasRoomFor(streams: readonly Stream[]): boolean {
    const more = new Set(
      streams.map(({ symbol }) => symbol).filter((each) => !this.#kinds.has(each)),
    );
    return this.#kinds.size + more.size <= maxSubscribedSymbols;
  }

  add({ name, symbol, kind }: Stream, connection: Connection): void {
    const connections = this.#byStream.get(name) ?? new Set();
    this.#byStream.set(name, connections.add(connection));
    this.#kinds.set(symbol, (this.#kinds.get(symbol) ?? new Set()).add(kind));
  }

  remove({ name, symbol, kind }: Stream, connection: Connection): void {
    const connections = this.#byStream.get(name);
    connections?.delete(connection);
    if (connections?.size !== 0) return;
    this.#byStream.delete(name);
    const kinds = this.#kinds.get(symbol);
    kinds?.delete(kind);
    if (kinds?.size === 0) this.#kinds.delete(symbol);
  }

  /** Everybody who listens to anything. */
  all(): ReadonlySet<Connection> {
    return new Set([...this.#byStream.values()].flatMap((connections) => [...connections]));
  }

  /** Who listens to a stream, in the order of their coming. */
  of(stream: string): Iterable<Connection> {
    return this.#byStream.get(stream) ?? [];
  }
}
