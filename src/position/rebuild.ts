import type { Micros } from '../base/clock.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { PositionName } from '../domain/position.ts';
import type { PositionStore } from '../store/position/position-store.ts';
import type { PositionBuilder } from './position-builder.ts';

/** Names are read in pages. */
const namesPerPage = 100;

export type RebuildScope = {
  /** Undefined: all. */
  readonly account?: string | undefined;
  /** Undefined: all. */
  readonly instrument?: InstrumentName | undefined;
  /** Only what follows this is made anew. */
  readonly since: Micros;
};

export type RebuildProgress = {
  /** The one under way. */
  readonly name: PositionName;
  /** Positions that are finished. */
  readonly positionCount: number;
  /** Executions that were folded, of all positions. */
  readonly executionCount: number;
};

/**
 * Throws away what is kept of positions from a time on and makes it anew, one after the other. Readers
 * get right answers meanwhile: what is not kept is folded for them.
 * @param onProgress told after some thousand executions, and when a position is finished
 * @throws the signal's reason; what the store and the builder do
 */
export async function rebuildPositions(
  { store, builder }: { readonly store: PositionStore; readonly builder: PositionBuilder },
  { account, instrument, since }: RebuildScope,
  onProgress: (progress: RebuildProgress) => void = () => {},
  signal?: AbortSignal,
): Promise<Omit<RebuildProgress, 'name'>> {
  let positionCount = 0;
  let executionCount = 0;
  for await (const name of namesOf(store, account, instrument)) {
    signal?.throwIfAborted();
    await store.dropSegments(name, since);
    await builder.build(name, undefined, {
      signal,
      onProgress: (executions) => {
        executionCount += executions;
        onProgress({ name, positionCount, executionCount });
      },
    });
    positionCount++;
    onProgress({ name, positionCount, executionCount });
  }
  return { positionCount, executionCount };
}

async function* namesOf(
  store: PositionStore,
  account: string | undefined,
  instrument: InstrumentName | undefined,
): AsyncGenerator<PositionName> {
  // Both are known: there may be many others of that account.
  if (account !== undefined && instrument !== undefined) {
    const name = { account, instrument };
    const hasExecutions = await store.snapshot((snapshot) => snapshot.lastChange(name));
    if (hasExecutions > 0) yield name;
    return;
  }
  let last: PositionName | undefined;
  do {
    const names = await store.listNames(account, last, namesPerPage);
    yield* names.filter((name) => instrument === undefined || name.instrument === instrument);
    last = names.length < namesPerPage ? undefined : names.at(-1);
  } while (last !== undefined);
}
