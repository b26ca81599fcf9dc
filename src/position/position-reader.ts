import type { Micros } from '../base/clock.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import { emptyPosition } from '../domain/position.ts';
import type { Position, PositionName } from '../domain/position.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { PositionStore, PositionTail, TailQuery } from '../store/position/position-store.ts';
import type { PositionBuilder } from './position-builder.ts';
import { binHistory, edgesOf } from './position-history.ts';
import type { PositionBin } from './position-history.ts';
import { foldPart } from './segment-fold.ts';
import type { FoldedPosition } from './segment-fold.ts';

/**
 * Executions that are folded for an answer at once. Behind the segments there are fewer, but right
 * after many were recorded or one came late: then they are kept in segments first.
 */
const defaultMaximumTail = 1_024;

/** Late executions may undo what was built for a history before it is read: the last one takes all. */
const historyAttempts = 3;

/** Executions that the last attempt folds at once: some 30 MB of text, and 0.2 s for nothing else. */
const maximumUndone = 500_000;

/** Positions that are read at once: each may come with a tail of executions. */
const positionsAtOnce = 100;

/** Bins of a history at most, empty ones included. */
export const maximumBins = 1_000;

export type HistoryQuery = {
  readonly bin: Timeframe;
  /** Bins from the one that this lies in. */
  readonly from: Micros;
  /** Bins that open before this. */
  readonly to: Micros;
  /** Bins at most, up to `maximumBins`. */
  readonly limit: number;
  /** Ends what must be folded for it. */
  readonly signal?: AbortSignal | undefined;
};

export type PositionHistory = {
  readonly bins: readonly PositionBin[];
  /** Where the bins that were left out by the limit begin; undefined: there are none. */
  readonly next: Micros | undefined;
};

export type PositionReaderOptions = {
  readonly store: PositionStore;
  readonly builder: PositionBuilder;
  /** Executions behind the segments that are folded for an answer. */
  readonly maximumTail?: number;
};

/** Answers what positions are and were. */
export class PositionReader {
  readonly #store: PositionStore;
  readonly #builder: PositionBuilder;
  readonly #maximumTail: number;

  constructor({ store, builder, maximumTail = defaultMaximumTail }: PositionReaderOptions) {
    this.#store = store;
    this.#builder = builder;
    this.#maximumTail = maximumTail;
  }

  /**
   * A position after all executions at or before a time (undefined: all there are); undefined when
   * there are none. The signal ends what must be folded for it.
   * @throws what the store and the builder do
   */
  async position(
    name: PositionName,
    at?: Micros,
    signal?: AbortSignal,
  ): Promise<Position | undefined> {
    if (at === undefined) {
      const query = this.#tailQuery(at);
      const [tail] = await this.#store.readTails(name.account, [name.instrument], query);
      return tail && (await this.#positionAfter(name, tail, at, signal));
    }
    // One row answers for any moment that is settled: within what is kept in segments.
    const moment = await this.#store.readMoment(name, at, this.#maximumTail + 1);
    return moment.type === 'within'
      ? positionOf(name, foldPart(moment.part, at), at)
      : await this.#positionAfter(name, moment.tail, at, signal);
  }

  /** The positions of an account that have executions by then, by instrument; at most `limit`. */
  async positions(
    account: string,
    query: {
      readonly after?: InstrumentName | undefined;
      readonly at?: Micros | undefined;
      readonly limit: number;
      /** Ends what must be folded for it. */
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<readonly Position[]> {
    const { at, limit, signal } = query;
    const positions: Position[] = [];
    let after = query.after;
    // Some have no executions by then: on until there are as many as wanted.
    while (positions.length < limit) {
      const place = after === undefined ? undefined : { account, instrument: after };
      const wanted = Math.min(limit - positions.length, positionsAtOnce);
      const names = await this.#store.listNames(account, place, wanted);
      const instruments = names.map(({ instrument }) => instrument);
      const tails = await this.#store.readTails(account, instruments, this.#tailQuery(at));
      for (const [index, name] of names.entries()) {
        const tail = tails[index];
        const position = tail && (await this.#positionAfter(name, tail, at, signal));
        if (position !== undefined) positions.push(position);
      }
      if (names.length < wanted) break;
      after = instruments.at(-1);
    }
    return positions;
  }

  /** How a position went, bin after bin; where there was no execution yet, all is 0. */
  async history(
    name: PositionName,
    { bin, from, to, limit, signal }: HistoryQuery,
  ): Promise<PositionHistory> {
    const { edges, next } = edgesOf(bin, from, to, Math.min(limit, maximumBins));
    const end = edges.at(-1);
    if (edges.length < 2 || end === undefined) return { bins: [], next: undefined };
    for (let attempt = 1; ; attempt++) {
      const most = attempt < historyAttempts ? this.#maximumTail : maximumUndone;
      const pieces = await this.#store.readHistory(name, edges, most + 1);
      const last = pieces.at(-1);
      const isCut = last?.type === 'across' && last.executions.length > most;
      if (!isCut) return { bins: binHistory(pieces, edges), next };
      if (attempt === historyAttempts) {
        throw new Refusal(
          'unavailable',
          'Late executions keep undoing the history: try again later',
        );
      }
      await this.#builder.build(name, end - 1, { signal });
    }
  }

  async #positionAfter(
    name: PositionName,
    { segment, executions }: PositionTail,
    at: Micros | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Position | undefined> {
    if (executions.length > this.#maximumTail) {
      return positionOf(name, await this.#builder.build(name, at, { signal }), at);
    }
    const last = segment && foldPart(segment, undefined);
    const before = last?.state ?? emptyPosition;
    const previousTime = last?.lastExecutedTime;
    return positionOf(name, foldPart({ before, previousTime, executions }, undefined), at);
  }

  #tailQuery(at: Micros | undefined): TailQuery {
    return { until: at, wanted: this.#maximumTail + 1 };
  }
}

function positionOf(
  { account, instrument }: PositionName,
  { state, lastExecutedTime }: FoldedPosition,
  at: Micros | undefined,
): Position | undefined {
  if (lastExecutedTime === undefined) return undefined;
  return { account, instrument, ...state, asOf: at ?? lastExecutedTime, lastExecutedTime };
}
