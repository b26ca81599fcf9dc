import { backoffDelayMs } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import type { Timer } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Order } from '../domain/order.ts';
import { Refusal } from '../domain/refusal.ts';
import type { CommitFailure } from './commit-queue.ts';
import type { OrderLog, ShardContents, ShardLease } from './order-log.ts';
import type { ShardEvent } from './pending.ts';
import { ShardDesk } from './shard-desk.ts';
import type { StoredOrders } from './shard-desk.ts';
import { ShardSession } from './shard-session.ts';
import type { ShardSessionOptions } from './shard-session.ts';
import type { WaitingFor } from './waiting.ts';

export type ShardOptions = Omit<
  ShardSessionOptions,
  'contents' | 'log' | 'onStored' | 'onFailed'
> & {
  readonly number: number;
  readonly log: OrderLog;
  readonly orders: StoredOrders;
  readonly logger: Logger;
  readonly random: () => number;
};

/** From the time that a lease is ours to the time that it is not. */
type Tenure = {
  lease: ShardLease;
  decideUntilMs: number;
  readonly ended: AbortController;
};

/** What was not known to be stored when its session ended. */
type LeftEvent = {
  readonly event: ShardEvent;
  /** It was sent, and is not known to have been refused. */
  readonly hasFailed: boolean;
};

/** Between two attempts to load a shard again. */
const reloadBackoff = { minimumMs: 50, maximumMs: 2_000 };
/** How long those whose commit failed wait for the shard to be loaded; then they are told to try again. */
const patienceMs = 5_000;

/**
 * One shard: while its lease is ours it is loaded and decides. A commit that fails throws away what
 * was decided since the last one, and the shard is loaded again.
 */
export class Shard {
  readonly number: number;
  /** Takes orders and cancellations; refuses them while nothing is decided. */
  readonly desk: ShardDesk;
  readonly #options: ShardOptions;
  #tenure: Tenure | undefined;
  #session: ShardSession | undefined;
  /** Failures since the last commit. */
  #failures = 0;
  /** Of the sessions that failed: those who wait for the next one. */
  #left: LeftEvent[] = [];
  #patience: Timer | undefined;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.number = options.number;
    this.desk = new ShardDesk({
      orders: options.orders,
      deciding: () => (this.#session?.mayDecide() === true ? this.#session : undefined),
    });
  }

  /** The lease that is ours, with the epoch of the last load. */
  get lease(): ShardLease | undefined {
    return this.#tenure?.lease;
  }

  /** What decides, while it is loaded. */
  get session(): ShardSession | undefined {
    return this.#session;
  }

  /** The lease is ours: loads it. */
  open(lease: ShardLease, decideUntilMs: number): void {
    this.close();
    const tenure = { lease, decideUntilMs, ended: new AbortController() };
    this.#tenure = tenure;
    void this.#load(tenure);
  }

  extend(decideUntilMs: number): void {
    if (this.#tenure !== undefined) this.#tenure.decideUntilMs = decideUntilMs;
    this.#session?.extend(decideUntilMs);
  }

  /** Throws away what is not stored, and loads the shard again. */
  reload({ reason, cause }: CommitFailure): void {
    const tenure = this.#tenure;
    if (tenure === undefined || this.#session === undefined) return;
    const { logger, clock, counters } = this.#options;
    counters.reloads++;
    const { underWay, waiting } = this.#session.close();
    this.#session = undefined;
    const lost = underWay.length + waiting.length;
    const fields = { shard: this.number, reason, err: cause, events: lost };
    if (reason === 'haltsChanged') {
      logger.info(fields, 'Halts have changed, loading the shard again');
    } else {
      // The first one tells what the others would.
      logger[this.#failures === 0 ? 'warn' : 'debug'](
        fields,
        'A commit failed, loading the shard again',
      );
      this.#failures++;
    }
    const hasFailed = reason === 'unknown';
    this.#left.push(...underWay.map((event) => ({ event, hasFailed })));
    this.#left.push(...waiting.map((event) => ({ event, hasFailed: false })));
    this.#patience ??= clock.setTimer(patienceMs, () => this.#giveUp());
    void this.#load(tenure);
  }

  /** Stores what is decided, and lets the shard go. */
  async release(): Promise<void> {
    this.#session?.end();
    await this.#session?.whenStored();
    this.close();
  }

  /** The lease is not ours any more: what is not stored never happened. */
  close(): void {
    const left = this.#session?.close();
    for (const event of [...(left?.underWay ?? []), ...(left?.waiting ?? [])]) {
      this.#left.push({ event, hasFailed: true });
    }
    this.#giveUp();
    this.#session = undefined;
    this.#tenure?.ended.abort();
    this.#tenure = undefined;
    this.#failures = 0;
  }

  waitingFor(order: Pick<Order, 'instrument' | 'orderId'>): WaitingFor | undefined {
    if (this.#tenure === undefined) return undefined;
    return this.#session === undefined ? { type: 'storage' } : this.#session.waitingFor(order);
  }

  async #load(tenure: Tenure): Promise<void> {
    const contents = await this.#read(tenure);
    if (tenure.ended.signal.aborted) return;
    if (contents === undefined) this.close();
    else this.#begin(tenure, contents);
  }

  /** @returns undefined when the lease is lost */
  async #read({ lease, ended: { signal } }: Tenure): Promise<ShardContents | undefined> {
    const { log, clock, random, logger, reach } = this.#options;
    while (!signal.aborted) {
      try {
        if (this.#failures > 1) {
          const delayMs = backoffDelayMs(this.#failures - 2, reloadBackoff, random);
          await sleep(clock, delayMs, signal);
        }
        reach('shard.loading');
        const contents = await log.load(lease);
        reach('shard.loaded');
        return contents;
      } catch (error) {
        this.#failures++;
        const fields = { err: error, shard: this.number };
        const level = this.#failures === 1 && !signal.aborted ? 'warn' : 'debug';
        logger[level](fields, 'A shard cannot be loaded, trying again');
      }
    }
    return undefined;
  }

  #begin(tenure: Tenure, contents: ShardContents): void {
    tenure.lease = contents.lease;
    const session = new ShardSession({
      ...this.#options,
      contents,
      onStored: () => (this.#failures = 0),
      onFailed: (failure) => this.reload(failure),
    });
    this.#session = session;
    const { orders } = contents;
    this.#options.logger.debug({ shard: this.number, orders: orders.length }, 'A shard is loaded');
    const left = this.#takeLeft();
    // Before anything is decided: whoever was accepted is still there.
    const again = left.filter((each) => !settle(session, each));
    session.extend(tenure.decideUntilMs);
    for (const { event } of again) {
      if (event.pending !== undefined) this.desk.takeAgain(event.pending);
    }
  }

  #takeLeft(): readonly LeftEvent[] {
    const left = this.#left;
    this.#left = [];
    this.#patience?.[Symbol.dispose]();
    this.#patience = undefined;
    return left;
  }

  #giveUp(): void {
    for (const { event } of this.#takeLeft()) event.pending?.answer.reject(notKnown());
  }
}

/** @returns whether who waits has been told what became of it */
function settle(session: ShardSession, { event, hasFailed }: LeftEvent): boolean {
  const { pending, order } = event;
  if (pending?.type !== 'submission') return pending === undefined;
  if (session.get(order) !== undefined) {
    pending.answer.resolve({ order, isAlreadyAccepted: false });
    return true;
  }
  if (hasFailed) pending.answer.reject(notKnown());
  return hasFailed;
}

function notKnown(): Refusal {
  const message =
    'It is not known whether this was stored: try again, with the same client_order_id if it has one';
  return new Refusal('unavailable', message);
}
