import type { Micros } from '../../base/clock.ts';
import type { ExecutionKey } from '../../domain/execution.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { PositionName, PositionState } from '../../domain/position.ts';
import type { Decimal } from '../../base/decimal.ts';
import type { ExecutionRun } from './execution-run.ts';

/** Executions that follow on one another, and the position before them. */
export type PositionPart = {
  readonly before: PositionState;
  /** When the execution before the first one happened; undefined: there is none. */
  readonly previousTime: Micros | undefined;
  readonly executions: ExecutionRun;
};

/** A part that is kept: `segmentLength` executions, the first of them all beginning with the first. */
export type PositionSegment = PositionPart & {
  /** Of its last execution. */
  readonly key: ExecutionKey;
  readonly endQuantity: Decimal;
  /** After any of its executions. */
  readonly highQuantity: Decimal;
  readonly lowQuantity: Decimal;
  /** What it adds to the traded volume. */
  readonly volume: Decimal;
};

/** Executions as they are read, with their sources and source ids beside them. */
export type KeyedRun = {
  readonly executions: ExecutionRun;
  readonly sources: readonly string[];
  readonly sourceIds: readonly string[];
};

/** What is known of a position up to a moment: the last kept segment that ends by then, and the rest. */
export type PositionTail = KeyedRun & {
  readonly segment: (PositionPart & { readonly key: ExecutionKey }) | undefined;
};

/** What tells a position at a time. */
export type PositionMoment =
  | { readonly type: 'within'; readonly part: PositionPart }
  | { readonly type: 'behind'; readonly tail: PositionTail };

/** A question about executions: `wanted` at most of those up to and with a time (undefined: all). */
export type TailQuery = { readonly until: Micros | undefined; readonly wanted: number };

/** Several questions about one moment. */
export interface PositionSnapshot {
  /** The highest log position of the account and instrument; 0: none. */
  lastChange(name: PositionName): Promise<number>;
  readTail(name: PositionName, query: TailQuery): Promise<PositionTail>;
  /** The executions after a key. */
  readAfter(name: PositionName, key: ExecutionKey, query: TailQuery): Promise<KeyedRun>;
}

/** A change of a position, at its place in the log. */
export type PositionChange = PositionName & {
  readonly logPosition: number;
  /** The earliest of the executions recorded together: the position changed from here on. */
  readonly earliest: ExecutionKey;
  readonly executionCount: number;
};

/** Whole segments within one bin, or executions that may lie in several; after a quantity. */
export type HistoryPiece = { readonly quantity: Decimal } & (
  | {
      readonly type: 'within';
      /** The bin's number, from 0. */
      readonly bin: number;
      readonly endQuantity: Decimal;
      readonly highQuantity: Decimal;
      readonly lowQuantity: Decimal;
      readonly volume: Decimal;
    }
  | { readonly type: 'across'; readonly executions: ExecutionRun }
);

/**
 * Executions as positions are made of them, and the segments that are kept of them. Over Postgres it
 * is `PostgresPositionStore`; tests have a twin.
 *
 * @throws all of it: what Postgres says in an outage
 */
export interface PositionStore {
  /** How many executions a segment has. */
  readonly segmentLength: number;
  /**
   * What tells a position at a time: the first kept segment that ends after it; where there is none,
   * the last one and what follows up to then, `wanted` executions at most.
   */
  readMoment(name: PositionName, at: Micros, wanted: number): Promise<PositionMoment>;
  /** One for each instrument. */
  readTails(
    account: string,
    instruments: readonly InstrumentName[],
    query: TailQuery,
  ): Promise<readonly PositionTail[]>;
  /** Asks several things of one moment. Without `longestMs` all of it takes a few seconds at most. */
  snapshot<T>(
    work: (snapshot: PositionSnapshot) => Promise<T>,
    options?: { readonly longestMs?: number },
  ): Promise<T>;
  /**
   * Keeps segments that follow on one another and on the one that ends with `base` (undefined: the
   * beginning). `seenThrough` is the `lastChange` of the snapshot that they were read in.
   * @returns whether they are kept: not when something has been recorded since that belongs before
   * their end, or when the base is not kept any more
   */
  saveSegments(
    name: PositionName,
    base: ExecutionKey | undefined,
    seenThrough: number,
    segments: readonly PositionSegment[],
  ): Promise<boolean>;
  /** Throws away the segments that end at or after a time. */
  dropSegments(name: PositionName, since: Micros): Promise<void>;
  /**
   * What lies in bins, in its order, one piece at least; `edges` are the bins' beginnings and the end.
   * The last piece may begin after them. Executions that are not kept in segments yet are a piece of
   * `wanted` at most: the last one.
   */
  readHistory(
    name: PositionName,
    edges: readonly Micros[],
    wanted: number,
  ): Promise<readonly HistoryPiece[]>;
  /** All positions that have executions, in the order of their names by bytes. */
  listNames(
    account: string | undefined,
    after: PositionName | undefined,
    limit: number,
  ): Promise<readonly PositionName[]>;
  /** In the order of the log. */
  changesAfter(logPosition: number, limit: number): Promise<readonly PositionChange[]>;
  lastLogPosition(): Promise<number>;
}
