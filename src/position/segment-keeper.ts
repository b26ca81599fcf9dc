import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { PositionName } from '../domain/position.ts';
import type { PositionStore } from '../store/position/position-store.ts';
import type { PositionBuilder } from './position-builder.ts';

/** How often it looks for changes: what is not kept by then, a reader folds itself. */
const periodMs = 250;

/** Changes that are looked at in a round; the next round goes on. */
const changesPerRound = 1_000;

export type SegmentKeeperOptions = {
  readonly store: PositionStore;
  readonly builder: PositionBuilder;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** Positions that could not be kept and are tried again; others are when they change. */
const maximumPutOff = 1_000;

/** Keeps in segments what has been recorded, in the background, from now on until it is disposed. */
export class SegmentKeeper implements AsyncDisposable {
  readonly #options: SegmentKeeperOptions;
  readonly #stopped = new AbortController();
  readonly #putOff = new Map<string, PositionName>();
  readonly #work: Promise<void>;

  constructor(options: SegmentKeeperOptions) {
    this.#options = options;
    this.#work = this.#keep();
  }

  async #keep(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stopped;
    let position: number | undefined;
    while (!signal.aborted) {
      try {
        position =
          position === undefined
            ? await this.#options.store.lastLogPosition()
            : await this.#round(position);
      } catch (error) {
        // Answers stay right without it; the next round does what this one did not.
        logger.warn({ err: error }, 'Keeping positions is put off');
      }
      await sleep(clock, periodMs, signal).catch(() => {});
    }
  }

  /** Answers the log position that it came to. */
  async #round(from: number): Promise<number> {
    const { store } = this.#options;
    const changes = await store.changesAfter(from, changesPerRound);
    const names = [...this.#putOff.values(), ...changes];
    for (const [account, changed] of Map.groupBy(names, ({ account }) => account)) {
      const instruments = [...new Set(changed.map(({ instrument }) => instrument))];
      // Most have not got enough yet for a segment, which one question tells of all of them.
      const query = { until: undefined, wanted: store.segmentLength };
      const tails = await store.readTails(account, instruments, query);
      for (const [index, { executions }] of tails.entries()) {
        const instrument = instruments[index];
        if (instrument === undefined || executions.length < store.segmentLength) continue;
        if (this.#stopped.signal.aborted) return from;
        await this.#keepOne({ account, instrument });
      }
    }
    return changes.at(-1)?.logPosition ?? from;
  }

  /** What keeps one from being kept must not keep the others; it is tried again in the next rounds. */
  async #keepOne(name: PositionName): Promise<void> {
    const { builder, logger } = this.#options;
    const key = `${name.account}\0${name.instrument}`;
    try {
      await builder.keep(name, this.#stopped.signal);
      this.#putOff.delete(key);
    } catch (error) {
      if (this.#putOff.has(key) || this.#stopped.signal.aborted) return;
      logger.warn({ ...name, err: error }, 'Keeping a position is put off');
      if (this.#putOff.size < maximumPutOff) this.#putOff.set(key, name);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#work;
  }
}
