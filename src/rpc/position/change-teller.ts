import { backoffDelayMs } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { LogLimiter } from '../../base/log-limiter.ts';
import type { Logger } from '../../base/logger.ts';
import type { Position } from '../../domain/position.ts';
import type { LogEntry } from '../../store/order/log-reader.ts';
import { ChangedPositions, keyOf } from './changed-positions.ts';
import type { ChangedPosition } from './changed-positions.ts';

/** A position that takes longer than this to be read lets the next one go ahead. */
const patienceMs = 250;
/** Positions that are read at once: half of the store's connections, of which others need some. */
const mostReads = 4;
const retry = { minimumMs: 100, maximumMs: 5_000 };
/** In an outage every change fails, over and over. */
const logPeriodMs = 10_000;

export type ChangeTellerOptions = {
  /** The position as it is now; undefined: nobody wants to know. */
  readonly read: (change: ChangedPosition) => Promise<Position | undefined>;
  readonly tell: (position: Position, change: ChangedPosition) => void;
  readonly clock: Clock;
  readonly logger: Logger;
};

/**
 * Reads and tells positions that changed, in the order of their changes. One that takes long or cannot
 * be read holds up no other: it is told when it can be.
 */
export class ChangeTeller implements Disposable {
  readonly #options: ChangeTellerOptions;
  readonly #logs: LogLimiter;
  /** All that have not been told, and those of them whose turn will come, in the order of the turns. */
  readonly #untold = new ChangedPositions();
  readonly #queue = new Map<string, ChangedPosition>();
  readonly #underWay = new Set<string>();
  /** Those that failed: how often, and when they are tried again. */
  readonly #failing = new Map<string, { readonly failures: number; readonly timer: Disposable }>();
  #takenThrough = 0;
  /** Whether what is told next waits for what is being read. */
  #isWaiting = false;
  #isStopped = false;

  constructor(options: ChangeTellerOptions) {
    this.#options = options;
    this.#logs = new LogLimiter(options.clock, logPeriodMs);
  }

  /** Begins behind this place in the log. */
  startAfter(position: number): void {
    this.#takenThrough = position;
  }

  /** Whatever changed up to here has been told: who goes on from here misses nothing. */
  get toldThrough(): number {
    const first = this.#untold.first();
    return first === undefined ? this.#takenThrough : first.position - 1;
  }

  take(entries: readonly LogEntry[]): void {
    this.#takenThrough = entries.at(-1)?.position ?? this.#takenThrough;
    for (const change of new ChangedPositions(entries)) {
      this.#untold.set(change);
      const key = keyOf(change);
      // One that is being read or has failed gets its next turn afterwards.
      if (!this.#underWay.has(key) && !this.#failing.has(key)) this.#queue.set(key, change);
    }
    this.#goOn();
  }

  /** Begins with the next one, if its turn has come. */
  #goOn(): void {
    for (const [key, change] of this.#queue) {
      if (this.#isStopped || this.#isWaiting || this.#underWay.size >= mostReads) return;
      this.#queue.delete(key);
      this.#underWay.add(key);
      void this.#tell(key, change);
    }
  }

  async #tell(key: string, change: ChangedPosition): Promise<void> {
    const { read, tell, clock } = this.#options;
    this.#isWaiting = true;
    let isWaitedFor = true;
    const release = () => {
      if (isWaitedFor) this.#isWaiting = false;
      isWaitedFor = false;
    };
    const timer = clock.setTimer(patienceMs, () => {
      release();
      this.#goOn();
    });
    try {
      const found = await read(change);
      this.#underWay.delete(key);
      this.#failing.delete(key);
      if (this.#isStopped) return;
      this.#untold.told(change);
      if (found !== undefined) tell(found, change);
      const newer = this.#untold.get(change);
      if (newer !== undefined) this.#queue.set(key, newer);
    } catch (error) {
      this.#underWay.delete(key);
      this.#tryLater(key, change, error);
    } finally {
      timer[Symbol.dispose]();
      release();
    }
    this.#goOn();
  }

  #tryLater(key: string, change: ChangedPosition, err: unknown): void {
    if (this.#isStopped) return;
    const { clock, logger } = this.#options;
    const failures = (this.#failing.get(key)?.failures ?? 0) + 1;
    const delayMs = backoffDelayMs(failures - 1, retry);
    const timer = clock.setTimer(delayMs, () => {
      this.#queue.set(key, this.#untold.get(change) ?? change);
      this.#goOn();
    });
    this.#failing.set(key, { failures, timer });
    const due = this.#logs.due('change');
    if (due === undefined) return;
    const { account, instrument } = change;
    logger.warn({ err, account, instrument, delayMs, ...due }, 'A changed position cannot be read');
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    for (const { timer } of this.#failing.values()) timer[Symbol.dispose]();
  }
}
