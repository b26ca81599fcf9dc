import type { Clock, Timer } from '../base/clock.ts';
import type { Order } from '../domain/order.ts';
import { Refusal } from '../domain/refusal.ts';
import type { ReachPoint } from './crash-points.ts';
import { maximumBatchEvents } from './order-log.ts';
import type {
  AppendOutcome,
  AppendRefusal,
  DecidedEvent,
  OrderLog,
  ShardLease,
} from './order-log.ts';

/** Decided and not stored; beyond it nothing more is decided, since all of it may be for nothing. */
const maximumUncommittedEvents = 4_096;
/** A decision that has not been stored for longer stops all further ones. */
const maximumUncommittedMs = 2_000;
/** After so long what the log was too busy to take is sent again. */
const sendAgainMs = 50;

export type CommitFailure = {
  /** unknown: the events under way are stored, or not. */
  readonly reason: AppendRefusal | 'unknown';
  /** What was thrown. */
  readonly cause?: unknown;
};

/** What is not known to be stored, in order. */
export type Uncommitted<Event> = {
  readonly underWay: readonly Event[];
  /** Never sent. */
  readonly waiting: readonly Event[];
};

export type CommitQueueOptions<Event> = {
  readonly lease: ShardLease;
  /** What is decided at first is decided under it. */
  readonly haltRevision: number;
  readonly log: Pick<OrderLog, 'append'>;
  readonly clock: Clock;
  readonly reach: ReachPoint;
  /** With the orders that have the client order ids of acceptances which were not stored for it. */
  readonly onStored: (events: readonly Event[], duplicates: ReadonlyMap<string, Order>) => void;
  /** Nothing more is sent: `close` tells what is left. */
  readonly onFailed: (failure: CommitFailure) => void;
};

/**
 * Takes what one shard decides to the log: one append at a time, in the order of the decisions. What
 * comes meanwhile shares the next one.
 */
export class CommitQueue<Event extends DecidedEvent> {
  readonly #options: CommitQueueOptions<Event>;
  #haltRevision: number;
  #underWay: readonly Event[] = [];
  #waiting: Event[] = [];
  /** When the first of those under way came, and the first of those waiting. */
  #underWaySinceMs = 0;
  #waitingSinceMs = 0;
  #isSending = false;
  #isClosed = false;
  #pause: Timer | undefined;
  #added = 0;
  #stored = 0;
  #barriers: { readonly added: number; readonly pass: () => void }[] = [];

  constructor(options: CommitQueueOptions<Event>) {
    this.#options = options;
    this.#haltRevision = options.haltRevision;
  }

  /** Events that are not known to be stored. */
  get size(): number {
    return this.#underWay.length + this.#waiting.length;
  }

  /** Whether nothing more may be decided for now. */
  get isFull(): boolean {
    if (this.size === 0) return false;
    if (this.size >= maximumUncommittedEvents) return true;
    const sinceMs = this.#underWay.length > 0 ? this.#underWaySinceMs : this.#waitingSinceMs;
    return this.#options.clock.monotonicMs() - sinceMs >= maximumUncommittedMs;
  }

  add(event: Event): void {
    if (this.#waiting.push(event) === 1) this.#waitingSinceMs = this.#options.clock.monotonicMs();
    this.#added++;
    this.#send();
  }

  /**
   * What is not sent yet goes out under another revision of the halts, if all of it may happen under
   * those; what is under way was sent under the one before.
   * @returns whether it is so
   */
  goOnUnder(haltRevision: number, mayHappen: (event: Event) => boolean): boolean {
    if (!this.#waiting.every(mayHappen)) return false;
    this.#haltRevision = haltRevision;
    return true;
  }

  /** Settles when all that has been added is stored, or when nothing more will be. */
  whenStored(): Promise<void> {
    if (this.size === 0 || this.#isClosed) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#barriers.push({ added: this.#added, pass: resolve });
    return promise;
  }

  /** Ends it: what becomes of the append under way is not told any more. */
  close(): Uncommitted<Event> {
    const left = { underWay: this.#underWay, waiting: this.#waiting };
    this.#isClosed = true;
    this.#pause?.[Symbol.dispose]();
    this.#underWay = [];
    this.#waiting = [];
    this.#passBarriers(Infinity);
    return left;
  }

  /** In the next turn of the event loop, so that all that comes within this one shares the commit. */
  #send(): void {
    if (this.#isSending || this.#isClosed) return;
    this.#isSending = true;
    setImmediate(() => void this.#append());
  }

  async #append(): Promise<void> {
    if (this.#isClosed) return;
    const { lease, log, clock, reach } = this.#options;
    const events = this.#waiting.splice(0, maximumBatchEvents);
    this.#underWay = events;
    this.#underWaySinceMs = this.#waitingSinceMs;
    this.#waitingSinceMs = clock.monotonicMs();
    for (const { event } of events) reach(`${event.type}.appending`);
    let outcome: AppendOutcome;
    try {
      outcome = await log.append({ lease, haltRevision: this.#haltRevision, events });
    } catch (cause) {
      if (this.#isClosed) return;
      if (cause instanceof Refusal) return this.#sendAgain();
      return this.#options.onFailed({ reason: 'unknown', cause });
    }
    if (this.#isClosed) return;
    if (outcome.type === 'refused') return this.#options.onFailed({ reason: outcome.reason });
    for (const { event } of events) reach(`${event.type}.committed`);
    this.#handleStored(events, outcome.duplicates);
  }

  /** It was not sent: nothing is unknown, and what was decided holds. */
  #sendAgain(): void {
    this.#waiting = [...this.#underWay, ...this.#waiting];
    this.#waitingSinceMs = this.#underWaySinceMs;
    this.#underWay = [];
    this.#pause = this.#options.clock.setTimer(sendAgainMs, () => void this.#append());
  }

  #handleStored(events: readonly Event[], duplicates: ReadonlyMap<string, Order>): void {
    this.#underWay = [];
    this.#stored += events.length;
    this.#isSending = false;
    this.#options.onStored(events, duplicates);
    this.#passBarriers(this.#stored);
    if (this.#waiting.length > 0) this.#send();
  }

  #passBarriers(stored: number): void {
    const passed = this.#barriers.filter(({ added }) => added <= stored);
    this.#barriers = this.#barriers.filter(({ added }) => added > stored);
    for (const { pass } of passed) pass();
  }
}
