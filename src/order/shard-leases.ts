import type { Micros } from '../base/clock.ts';
import type { ShardLease } from './order-log.ts';

/** Who has a shard by the database's clock. */
export type ShardHolder = {
  readonly shard: number;
  /** Where the server that has it answers. */
  readonly url: string;
};

export type LeaseView = {
  /** The database's time. */
  readonly now: Micros;
  /** Those of the leases asked for that are still ours, for another TTL. */
  readonly renewed: readonly ShardLease[];
  /** Of all shards whose lease has not run out, ours among them. */
  readonly holders: readonly ShardHolder[];
  /** That of the halts. */
  readonly haltRevision: number;
};

/**
 * The leases of one server on shards, as the order manager uses them: store/shard-lease-store.ts over
 * Postgres, a twin in tests. The lease's time is the database's. All throw in an outage; then it is
 * not known whether it happened.
 */
export interface ShardLeases {
  /** Renews what we hold, and tells how all shards are. */
  renew(held: readonly ShardLease[]): Promise<LeaseView>;
  /**
   * Takes those of the shards that nobody else holds, each under a new epoch, also those that are
   * ours: what was under way under the old epoch is over then, stored or not.
   */
  take(shards: readonly number[]): Promise<readonly ShardLease[]>;
  /** Lets others take them at once. */
  release(held: readonly ShardLease[]): Promise<void>;
}
