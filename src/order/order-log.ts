import type { Decimal } from '../base/decimal.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Order, OrderSide } from '../domain/order.ts';
import type { OrderEvent } from '../domain/order-event.ts';

/** Orders are divided among servers by instrument: each shard has one owner at a time. */
export const shardCount = 16;

/** What one append may hold: more would keep the other shards' appends waiting for its commit. */
export const maximumBatchEvents = 4_096;

/**
 * The right to append to a shard. Its epoch is higher with each owner, and with each `load` of the
 * same one: whatever was sent under a lower epoch and has not happened by then never happens.
 */
export type ShardLease = {
  readonly shard: number;
  /** A life of a server. */
  readonly owner: string;
  readonly epoch: number;
};

/** An event, and the order as it is after it. */
export type DecidedEvent = { readonly event: OrderEvent; readonly order: Order };

export type OrderBatch = {
  readonly lease: ShardLease;
  /** The revision of the halts that the events were decided under. */
  readonly haltRevision: number;
  /**
   * In the order of the decisions, at most `maximumBatchEvents`. An order's acceptance is the only
   * event of it in a batch: nothing is decided about it before that is stored.
   */
  readonly events: readonly DecidedEvent[];
};

export type AppendOutcome =
  | {
      readonly type: 'committed';
      /**
       * Of accepted events whose (account, client order id) was taken: the order that has it, by the
       * order id that was not stored. All other events are stored.
       */
      readonly duplicates: ReadonlyMap<string, Order>;
    }
  /** Nothing is stored. */
  | { readonly type: 'refused'; readonly reason: AppendRefusal };

export type AppendRefusal =
  /** Another owner has the shard, or this one has loaded it again since. */
  | 'leaseLost'
  /** What is halted has changed: it is to be read, and decided anew. */
  | 'haltsChanged'
  /**
   * An event does not follow what is stored: this very batch was stored before, or what it was
   * decided on never happened. The shard is to be loaded again.
   */
  | 'outOfStep';

/** What all our orders have used of the level that a side displays, as the last fill told it. */
export type ConsumedLevel = {
  readonly instrument: InstrumentName;
  /** The side of the orders that use it: sells use the bid. */
  readonly side: OrderSide;
  readonly updateId: number;
  readonly price: Decimal;
  readonly displayedQuantity: Decimal;
  readonly consumed: Decimal;
};

/** Who may not trade: all, or some accounts. Its revision rises with each change. */
export type Halts = {
  readonly revision: number;
  /** Why everything is halted, in words that may be empty; undefined where it is not. */
  readonly everything: string | undefined;
  /** By account that is halted: why, in words that may be empty. */
  readonly accounts: ReadonlyMap<string, string>;
};

/** All that a shard's owner starts from. */
export type ShardContents = {
  /** To append under from now on. */
  readonly lease: ShardLease;
  /** Orders that are not at their end, in the order of their acceptance. */
  readonly orders: readonly Order[];
  readonly consumed: readonly ConsumedLevel[];
  readonly halts: Halts;
};

/**
 * The order log as the order manager uses it: store/order-log-store.ts over Postgres, a twin in tests.
 */
export interface OrderLog {
  /**
   * Appends what a shard's owner decided, with the executions that follow from its fills, in one
   * statement: all of it or nothing.
   * @throws Refusal when it was not even sent, because too much is under way: it can be sent again;
   * Error when it is not known whether it happened: the shard is to be loaded again
   */
  append(batch: OrderBatch): Promise<AppendOutcome>;
  /**
   * Reads a shard, and makes sure first that no append sent before can still happen: it waits for
   * one that is under way, and those that come later are refused.
   * @returns undefined where the lease is lost
   * @throws in an outage; then it is to be called again, with the same lease
   */
  load(lease: ShardLease): Promise<ShardContents | undefined>;
  /** @throws in an outage */
  readHalts(): Promise<Halts>;
}
